{{- define "aeterna.external" -}}
refreshInterval: {{ .values.refresh }}
secretStoreRef:
  kind: ClusterSecretStore
  name: {{ .values.store }}
target:
  name: {{ .secret.name }}
  creationPolicy: Owner
  # What was read stays when the store is away, or when somebody deletes it there by mistake.
  deletionPolicy: Retain
data:
  {{- range $file, $key := .secret.files }}
  - secretKey: {{ $file }}
    remoteRef:
      key: {{ $key }}
  {{- end }}
{{- end }}
