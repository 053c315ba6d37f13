{{/* SPDX-License-Identifier: Apache-2.0 */}}
{{- define "powertrace.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "powertrace.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "powertrace.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "powertrace.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "powertrace.selector" -}}
app.kubernetes.io/name: {{ include "powertrace.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "powertrace.labels" -}}
{{ include "powertrace.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "powertrace.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "powertrace.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "powertrace.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}

{{- define "powertrace.port" -}}
{{- regexFind "[0-9]+$" (toString .Values.config.serve.listen) -}}
{{- end -}}

{{/* off unless it says otherwise; YAML reads a bare off as false. */}}
{{- define "powertrace.kube" -}}
{{- $kube := toString (default "off" .Values.config.kube) -}}
{{- if eq $kube "false" -}}off{{- else -}}{{- $kube -}}{{- end -}}
{{- end -}}

{{/* --synthetic from the values that simple estimators use. */}}
{{- define "powertrace.synthetic" -}}
{{- $power := .Values.powerSimulation -}}
{{- $profile := dict -}}
{{- if $power.defaultProfile -}}
{{- $profiles := default dict $power.profiles -}}
{{- if not (hasKey $profiles $power.defaultProfile) -}}
{{- fail (printf "powerSimulation.defaultProfile: there is no profile %q in powerSimulation.profiles" $power.defaultProfile) -}}
{{- end -}}
{{- $profile = get $profiles $power.defaultProfile -}}
{{- end -}}
{{- $parts := list "curve=seed" -}}
{{- range $name, $key := dict "basePowerWatts" "base" "cpuPowerFactor" "cpu_factor" "memoryPowerFactor" "mem_factor" "maxNodePowerWatts" "max" -}}
{{- $value := get (merge (deepCopy $profile) $power) $name -}}
{{- if not (kindIs "invalid" $value) -}}
{{- if ne (toString $value) "" -}}
{{- $parts = append $parts (printf "%s=%v" $key $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- join "," $parts -}}
{{- end -}}

{{- define "powertrace.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $_ := set $config "kube" (include "powertrace.kube" .) -}}
{{- if and .Values.powerSimulation (not (get $config "synthetic")) -}}
{{- $_ := set $config "synthetic" (include "powertrace.synthetic" .) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* What is mounted from the node, all of it read-only, below /host. A mount of /sys alone would
     bring the cgroup file system below it along writable. */}}
{{- define "powertrace.hostMounts" -}}
- {name: sys, path: /sys}
- {name: cgroup, path: /sys/fs/cgroup}
- {name: proc, path: /proc}
{{- if .Values.runtimeState.enabled }}
- {name: containerd, path: /run/containerd, type: DirectoryOrCreate}
- {name: runc, path: /run/runc, type: DirectoryOrCreate}
- {name: docker, path: /var/lib/docker/containers, type: DirectoryOrCreate}
- {name: storage, path: /var/lib/containers/storage, type: DirectoryOrCreate}
{{- end }}
{{- end -}}
