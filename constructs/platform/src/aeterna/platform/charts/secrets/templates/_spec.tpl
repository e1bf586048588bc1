{{- define "aeterna.external" -}}
refreshInterval: {{ .values.refresh | quote }}
secretStoreRef:
  kind: ClusterSecretStore
  name: {{ .values.store | quote }}
target:
  name: {{ .secret.name | quote }}
  creationPolicy: Owner
  # What was read stays when the store is away, or when somebody deletes it there by mistake.
  deletionPolicy: Retain
data:
  {{- range $file, $key := .secret.files }}
  - secretKey: {{ $file | quote }}
    remoteRef:
      key: {{ $key | quote }}
  {{- end }}
{{- end }}
