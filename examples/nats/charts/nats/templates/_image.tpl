{{- define "image" -}}
{{- $registry := .image.registry | default .global.image.registry -}}
{{- with $registry }}{{ . }}/{{ end }}{{ .image.repository }}:{{ .image.tag }}
{{- end -}}
