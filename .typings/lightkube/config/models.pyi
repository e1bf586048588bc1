class Cluster:
    server: str

class User: ...
