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

{{/* Names and labels of what is not the agent, so that its service and monitors leave it alone.
     Arguments: list ROOT COMPONENT. */}}
{{- define "powertrace.partName" -}}
{{- printf "%s-%s" (include "powertrace.fullname" (first .) | trunc 53 | trimSuffix "-") (last .) -}}
{{- end -}}

{{- define "powertrace.partSelector" -}}
{{- $root := first . -}}
app.kubernetes.io/name: {{ include "powertrace.name" $root | trunc 53 | trimSuffix "-" }}-{{ last . }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
{{- end -}}

{{- define "powertrace.partLabels" -}}
{{- $root := first . -}}
{{ include "powertrace.partSelector" . }}
app.kubernetes.io/part-of: {{ include "powertrace.name" $root }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "powertrace.collectorConfig" -}}
{{- $config := deepCopy .Values.collector.config -}}
{{- $_ := required "collector.config.prometheus: say where the Prometheus is, as http://prometheus-operated.monitoring:9090" $config.prometheus -}}
{{- if .Values.collector.tokenSecret -}}
{{- $_ := set $config "token-file" "/etc/powertrace-token/token" -}}
{{- end -}}
{{- if .Values.collector.prometheusTokenSecret -}}
{{- $_ := set $config "prometheus-bearer-file" "/etc/powertrace-prometheus/token" -}}
{{- end -}}
{{- if .Values.collector.webConfig.existingSecret -}}
{{- $_ := set $config "web.config-file" "/etc/powertrace-web/web-config.yaml" -}}
{{- end -}}
{{- $file := dict "log-level" "info" "log-format" "json" "collector" $config -}}
{{- include "powertrace.addMarket" (list $file .Values.collector) -}}
{{- toYaml $file -}}
{{- end -}}

{{- define "powertrace.capConfig" -}}
{{- $config := deepCopy .Values.cap.config -}}
{{- $_ := set $config "no-guardian" true -}}
{{- $_ := set $config "enabled" (eq .Values.cap.mode "enforce") -}}
{{- if .Values.cap.nodeAnnotations -}}
{{- $_ := set $config "annotation-names" .Values.cap.annotationNames -}}
{{- end -}}
{{- $file := dict "sysfs" "/host/sys" "log-level" "info" "log-format" "json" "cap" $config -}}
{{- if .Values.cap.profile -}}
{{- $_ := set $config "profile" true -}}
{{- $_ := set $file "procfs" "/host/proc" -}}
{{- end -}}
{{- include "powertrace.addMarket" (list $file .Values.cap) -}}
{{- toYaml $file -}}
{{- end -}}

{{- define "powertrace.addMarket" -}}
{{- if (last .).market -}}
{{- $market := deepCopy (last .).market -}}
{{- if (last .).marketTokenSecret -}}
{{- $_ := set $market "token-file" "/etc/powertrace-market/token" -}}
{{- end -}}
{{- $_ := set (first .) "market" $market -}}
{{- end -}}
{{- end -}}

{{/* The container that keeps market data fresh: network, no hardware. Arguments: list ROOT VALUES. */}}
{{- define "powertrace.fetcher" -}}
{{- $root := first . -}}
- name: fetch
  image: {{ include "powertrace.image" $root | quote }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  args: [--config, /etc/powertrace/powertrace.yaml, market, fetch, --follow]
  securityContext:
    runAsNonRoot: true
    runAsUser: 65534
    runAsGroup: 65534
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: {drop: [ALL]}
  resources:
    requests: {cpu: 5m, memory: 32Mi}
    limits: {memory: 128Mi}
  volumeMounts:
    - {name: config, mountPath: /etc/powertrace, readOnly: true}
    - {name: market, mountPath: /var/lib/powertrace/market}
    {{- if (last .).marketTokenSecret }}
    - {name: market-token, mountPath: /etc/powertrace-market, readOnly: true}
    {{- end }}
{{- end -}}

{{- define "powertrace.fetcherVolumes" -}}
- name: market
  emptyDir: {sizeLimit: 64Mi}
{{- with .marketTokenSecret }}
- name: market-token
  secret: {secretName: {{ . }}, defaultMode: 0440}  # one that everybody may read is refused
{{- end }}
{{- end -}}
