#!/usr/bin/env python3
"""Shipped pipelines: what each does to small events, and published rules over
real logs with the alerts that reading rule against event gave."""
import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import ROOT, Case, SHARED, main, need_shared, shared  # noqa: E402
from streams import ASAN  # noqa: E402

SYSMON = "Microsoft-Windows-Sysmon/Operational"


def build_rule(name, logsource, detection):
    """Fields of `detection` that are not selections form the only one."""
    detection = dict(detection)
    if "condition" not in detection:
        detection = {"selection": detection, "condition": "selection"}
    return {"title": name, "id": name, "logsource": logsource, "detection": detection}


# pipelines -> rules {name: (log source, detection)}, events [(event, rules that match)]
SMALL = {
    "sysmon_windows": (
        {
            "process": ({"product": "windows", "category": "process_creation"}, {"Image|endswith": "\\whoami.exe"}),
            "network": ({"category": "network_connection"}, {"Image|endswith": "\\whoami.exe"}),
            "registry": ({"product": "windows", "category": "registry_set"}, {"TargetObject|contains": "\\Run\\"}),
        },
        [
            ({"Channel": SYSMON, "EventID": 1, "Image": "C:\\Windows\\System32\\whoami.exe"}, ["process"]),
            ({"Channel": SYSMON, "EventID": 3, "Image": "C:\\Windows\\System32\\whoami.exe"}, ["network"]),
            ({"Channel": SYSMON, "EventID": 5, "Image": "C:\\Windows\\System32\\whoami.exe"}, []),
            ({"Channel": "Security", "EventID": 1, "Image": "C:\\Windows\\System32\\whoami.exe"}, []),
            ({"winlog": {"channel": SYSMON, "event_id": "1", "event_data": {"Image": "C:\\x\\WHOAMI.exe"}}}, ["process"]),
            ({"Event": {"System": {"Channel": SYSMON, "EventID": {"#text": 13}}, "EventData": {"TargetObject": "HKLM\\Run\\x"}}}, ["registry"]),
            ({"Event": {"System": {"Channel": SYSMON, "EventID": 12}, "EventData": {"TargetObject": "HKLM\\Run\\x"}}}, []),
        ],
    ),
    "sysmon_linux": (
        {"process": ({"product": "linux", "category": "process_creation"}, {"Image|endswith": "/nc"})},
        [
            ({"Channel": "Linux-Sysmon/Operational", "EventID": 1, "Image": "/usr/bin/nc"}, ["process"]),
            ({"Channel": "Linux-Sysmon/Operational", "EventID": 3, "Image": "/usr/bin/nc"}, []),
            ({"Channel": SYSMON, "EventID": 1, "Image": "/usr/bin/nc"}, []),
        ],
    ),
    "windows_eventlog": (
        {
            "security": ({"product": "windows", "service": "security"}, {"EventID": 1102}),
            "system": ({"product": "windows", "service": "system"}, {"EventID": 104}),
            "script": ({"product": "windows", "category": "ps_script"}, {"ScriptBlockText|contains": "DownloadString"}),
        },
        [
            ({"Channel": "Security", "EventID": 1102}, ["security"]),
            ({"Channel": "System", "EventID": 1102}, []),
            ({"Channel": "System", "EventID": 104}, ["system"]),
            ({"Channel": "Microsoft-Windows-PowerShell/Operational", "EventID": 4104, "ScriptBlockText": "x.downloadstring('u')"}, ["script"]),
            ({"Channel": "Microsoft-Windows-PowerShell/Operational", "EventID": 4103, "ScriptBlockText": "x.downloadstring('u')"}, []),
        ],
    ),
    "windows_audit": (
        {"process": ({"product": "windows", "category": "process_creation"}, {"Image|endswith": "\\at.exe", "IntegrityLevel": "High"})},
        [
            ({"Channel": "Security", "EventID": 4688, "NewProcessName": "C:\\at.exe", "MandatoryLabel": "S-1-16-12288"}, ["process"]),
            ({"Channel": "Security", "EventID": 4688, "NewProcessName": "C:\\at.exe", "MandatoryLabel": "S-1-16-8192"}, []),
            ({"Channel": "Security", "EventID": 4689, "NewProcessName": "C:\\at.exe", "MandatoryLabel": "S-1-16-12288"}, []),
        ],
    ),
    "ecs_windows": (
        {
            "process": ({"product": "windows", "category": "process_creation"}, {"Image|endswith": "\\at.exe", "ParentImage|endswith": "\\cmd.exe"}),
            "module": ({"product": "windows", "category": "image_load"}, {"ImageLoaded|endswith": "\\amsi.dll"}),
        },
        [
            ({"process": {"executable": "C:\\W\\at.exe", "parent": {"executable": "C:\\W\\cmd.exe"}}}, ["process"]),
            ({"process": {"executable": "C:\\W\\cmd.exe", "parent": {"executable": "C:\\W\\at.exe"}}}, []),
            ({"dll": {"path": "C:\\W\\amsi.dll"}}, ["module"]),
            ({"file": {"path": "C:\\W\\amsi.dll"}}, []),
        ],
    ),
    "crowdstrike_fdr": (
        {
            "process": (
                {"product": "windows", "category": "process_creation"},
                {"Image|contains": ":\\Users\\", "ParentImage|endswith": "\\cmd.exe", "User": "CORP\\eve"},
            ),
            "startswith": ({"product": "windows", "category": "process_creation"}, {"Image|startswith": "C:\\Windows\\"}),
            "module": (
                {"product": "windows", "category": "image_load"},
                {"s": {"ImageLoaded|endswith": "\\shell32.dll"}, "f": {"ImageLoaded|contains": "C:\\Windows\\"}, "condition": "s and not f"},
            ),
            "network": ({"category": "network_connection"}, {"DestinationPort": 25, "Initiated": "true", "Protocol": "tcp"}),
        },
        [
            (
                {
                    "event_simpleName": "ProcessRollup2",
                    "event_platform": "Win",
                    "ImageFileName": "\\Device\\HarddiskVolume3\\Users\\eve\\x.exe",
                    "ParentBaseFileName": "cmd.exe",
                    "UserName": "eve",
                },
                ["process"],
            ),
            ({"event_simpleName": "ProcessRollup2", "event_platform": "Win", "ImageFileName": "\\Device\\HarddiskVolume12\\Windows\\x.exe"}, ["startswith"]),
            ({"event_simpleName": "ProcessRollup2", "event_platform": "Lin", "ImageFileName": "\\Device\\HarddiskVolume12\\Windows\\x.exe"}, []),
            ({"event_simpleName": "processrollup2", "event_platform": "Win", "ImageFileName": "\\Device\\HarddiskVolume12\\Windows\\x.exe"}, []),
            (
                {
                    "event_simpleName": "ClassifiedModuleLoad",
                    "event_platform": "Win",
                    "ImageFileName": "\\Device\\HarddiskVolume3\\Windows\\System32\\shell32.dll",
                },
                [],
            ),
            ({"event_simpleName": "ClassifiedModuleLoad", "event_platform": "Win", "ImageFileName": "\\Device\\HarddiskVolume3\\Temp\\shell32.dll"}, ["module"]),
            ({"event_simpleName": "NetworkConnectIP4", "RemotePort": "25", "ConnectionDirection": "0", "Protocol": "6"}, ["network"]),
            ({"event_simpleName": "NetworkConnectIP4", "RemotePort": "25", "ConnectionDirection": "1", "Protocol": "6"}, []),
            ({"event_simpleName": "NetworkConnectIP4", "RemotePort": "25", "ConnectionDirection": "0", "Protocol": "17"}, []),
            ({"event_simpleName": "networkconnectip4", "RemotePort": "25", "ConnectionDirection": "0", "Protocol": "6"}, []),
            ({"event_simpleName": "NetworkConnectIP4x", "RemotePort": "25", "ConnectionDirection": "0", "Protocol": "6"}, []),
        ],
    ),
    "crowdstrike_fdr fdr_envelope": (
        {"process": ({"category": "process_creation"}, {"Image|endswith": "\\at.exe"})},
        [
            ({"event": {"event_simpleName": "ProcessRollup2", "ImageFileName": "\\Device\\at.exe"}, "fdr_event_type": "ProcessRollup2"}, ["process"]),
            ({"event_simpleName": "ProcessRollup2", "ImageFileName": "\\Device\\at.exe"}, []),
        ],
    ),
    "zeek": (
        {
            "dns": ({"category": "dns"}, {"query|endswith": ".bad"}),
            "zeek_dns": ({"product": "zeek", "service": "dns"}, {"query|endswith": ".bad"}),
            "proxy": ({"category": "proxy"}, {"c-uri|contains": "/webdav/", "c-useragent|contains": "WebDAV"}),
            "rdp": ({"product": "zeek", "service": "rdp"}, {"s": {"id.orig_h|cidr": "10.0.0.0/8"}, "condition": "not s"}),
            "connection": ({"category": "firewall"}, {"dst_port": 4444}),
        },
        [
            ({"query": "a.bad", "id.resp_h": "8.8.8.8"}, ["dns", "zeek_dns"]),
            ({"_path": "dns", "query": "a.bad"}, ["dns", "zeek_dns"]),
            ({"@stream": "dns", "query": "a.bad", "id_orig_h": "1.2.3.4"}, ["dns", "zeek_dns"]),
            ({"_path": "files", "query": "a.bad"}, []),
            ({"uri": "/webdav/x", "user_agent": "Microsoft-WebDAV-MiniRedir"}, ["proxy"]),
            ({"id.orig_h": "192.0.2.1", "cert_count": 0}, ["rdp"]),
            ({"@stream": "rdp", "id_orig_h": "192.0.2.1", "cert_count": 1}, ["rdp"]),
            ({"id_orig_h": "10.0.2.1", "cert_count": 1}, []),
            ({"id.orig_h": "192.0.2.1"}, []),
            ({"@stream": "conn", "id_resp_p": 4444}, ["connection"]),
            ({"@stream": "conn", "id.resp_p": 4443}, []),
        ],
    ),
    "auditd": (
        {
            "call": ({"product": "linux", "service": "auditd"}, {"type": "SYSCALL", "SYSCALL": "mknod"}),
            "words": ({"product": "linux", "service": "auditd"}, {"type": "EXECVE", "a0": "dd", "a1|contains": "if=/dev/zero"}),
            "image": ({"product": "linux", "category": "process_creation"}, {"Image|endswith": "/dd"}),
            "line": ({"product": "linux", "category": "process_creation"}, {"CommandLine|contains": "/dev/zero"}),
        },
        [
            ({"type": "SYSCALL", "syscall": "mknod", "exe": "/bin/mknod"}, ["call"]),
            ({"type": "SYSCALL", "syscall": "133", "SYSCALL": "mknod"}, ["call"]),
            ({"type": "PATH", "syscall": "mknod"}, []),
            ({"type": "EXECVE", "a0": "dd", "a1": "if=/dev/zero"}, ["words"]),
            ({"type": "SYSCALL", "arch": "c000003e", "syscall": "59", "exe": "/bin/dd"}, ["image"]),
            ({"type": "SYSCALL", "arch": "c00000b7", "syscall": "59", "exe": "/bin/dd"}, []),
            ({"type": "SYSCALL", "arch": "c00000b7", "syscall": "execve", "exe": "/bin/dd"}, ["image"]),
            ({"type": "SYSCALL", "arch": "c00000b7", "syscall": "221", "SYSCALL": "execve", "exe": "/bin/dd"}, ["image"]),
            ({"type": "SYSCALL", "arch": "c000003e", "syscall": "2", "exe": "/bin/dd"}, []),
            ({"type": "PROCTITLE", "proctitle": "dd if=/dev/zero bs=1"}, ["line"]),
            ({"type": "EXECVE", "proctitle": "dd if=/dev/zero bs=1"}, []),
        ],
    ),
    "auditd_auoms": (
        {
            "call": ({"product": "linux", "service": "auditd"}, {"type": "SYSCALL", "SYSCALL": "execve", "exe|startswith": "/tmp/"}),
            "path": ({"product": "linux", "service": "auditd"}, {"type": "PATH", "name": "/etc/shadow"}),
            "process": ({"product": "linux", "category": "process_creation"}, {"Image|endswith": "/bash", "CommandLine|contains": " -i"}),
        },
        [
            ({"type": "AUOMS_EXECVE", "syscall": "execve", "exe": "/tmp/x", "cmdline": "/tmp/x"}, ["call"]),
            ({"type": "AUOMS_SYSCALL", "syscall": "open", "exe": "/bin/cat", "name": "/etc", "path_name": ["/etc", "/etc/shadow"]}, ["path"]),
            ({"type": "AUOMS_EXECVE", "syscall": "execve", "exe": "/bin/bash", "cmdline": "bash -i"}, ["process"]),
            ({"type": "AUOMS_EXECVE", "syscall": "execve", "exe": "/bin/bash", "proctitle": "bash -i"}, ["process"]),
            ({"type": "AUOMS_SYSCALL", "syscall": "open", "exe": "/bin/bash", "proctitle": "bash -i"}, []),
        ],
    ),
    "aws_cloudtrail": (
        {
            "deleted": ({"product": "aws", "service": "cloudtrail"}, {"eventName": "DeleteBucket", "errorCode": "Success"}),
            "saml": ({"product": "aws", "service": "cloudtrail"}, {"eventName": "DeleteSAMLProvider", "status": "success"}),
            "versioning": ({"product": "aws", "service": "cloudtrail"}, {"eventName": "PutBucketVersioning", "requestParameters|contains": "Suspended"}),
            "login": ({"product": "aws", "service": "cloudtrail"}, {"eventName": "ConsoleLogin", "responseElements|contains": "Failure"}),
            "denied": ({"product": "aws", "service": "cloudtrail"}, {"errorCode": "AccessDenied"}),
        },
        [
            ({"eventName": "DeleteBucket"}, ["deleted"]),
            ({"eventName": "DeleteBucket", "errorCode": "AccessDenied"}, ["denied"]),
            ({"eventName": "DeleteSAMLProvider"}, ["saml"]),
            ({"eventName": "PutBucketVersioning", "requestParameters": {"VersioningConfiguration": {"Status": "Suspended"}}}, ["versioning"]),
            ({"eventName": "PutBucketVersioning", "requestParameters": {"VersioningConfiguration": {"Status": "Enabled"}}}, []),
            ({"eventName": "ConsoleLogin", "responseElements": {"ConsoleLogin": "Failure"}}, ["login"]),
            ({"eventName": "ConsoleLogin", "responseElements": {"ConsoleLogin": "Success"}}, []),
        ],
    ),
    "azure": (
        {
            "activity": ({"product": "azure", "service": "activitylogs"}, {"operationName": "MICROSOFT.KEYVAULT/VAULTS/DELETE"}),
            "audit": ({"product": "azure", "service": "auditlogs"}, {"properties.message": "Add member to role", "Status": "Sucess"}),
            "target": ({"product": "azure", "service": "auditlogs"}, {"properties.targetResources|contains": "Admins"}),
            "signin": ({"product": "azure", "service": "signinlogs"}, {"ResultType": 50126}),
            "success": ({"product": "azure", "service": "signinlogs"}, {"Status": "Success", "AuthenticationRequirement": "singleFactorAuthentication"}),
            "risk": ({"product": "azure", "service": "riskdetection"}, {"riskEventType": "tokenIssuerAnomaly"}),
        },
        [
            ({"operationName": "Microsoft.KeyVault/vaults/delete"}, ["activity"]),
            ({"OperationNameValue": "Microsoft.KeyVault/vaults/delete"}, ["activity"]),
            ({"operationName": {"value": "Microsoft.KeyVault/vaults/delete"}}, ["activity"]),
            ({"operationName": "Add member to role", "properties": {"result": "success"}}, ["audit"]),
            ({"OperationName": "Add member to role", "Result": "success"}, ["audit"]),
            ({"operationName": "Add member to role", "properties": {"result": "failure"}}, []),
            ({"properties": {"targetResources": [{"displayName": "x"}, {"displayName": "DnsAdmins"}]}}, ["target"]),
            ({"TargetResources": '[{"displayName":"DnsAdmins"}]'}, ["target"]),
            ({"ResultType": "50126"}, ["signin"]),
            ({"resultType": 50126}, ["signin"]),
            ({"properties": {"status": {"errorCode": 50126}, "authenticationRequirement": "singleFactorAuthentication"}}, ["signin"]),
            ({"properties": {"status": {"errorCode": 0}, "authenticationRequirement": "singleFactorAuthentication"}}, ["success"]),
            ({"properties": {"riskEventType": "tokenIssuerAnomaly"}}, ["risk"]),
        ],
    ),
    "okta": (
        {
            "role": ({"product": "okta", "service": "okta"}, {"eventType|contains": "user.account.privilege.grant"}),
            "behaviour": ({"product": "okta", "service": "okta"}, {"debugContext.debugData.behaviors|contains": "POSITIVE"}),
            "target": ({"product": "okta", "service": "okta"}, {"target.displayName": "svc"}),
        },
        [
            ({"eventType": "user.account.privilege.grant"}, ["role"]),
            ({"eventtype": "user.account.privilege.grant"}, ["role"]),
            ({"eventType": "user.session.start"}, []),
            ({"debugcontext": {"debugData": {"behaviors": "{New IP=POSITIVE}"}}}, ["behaviour"]),
            ({"debugContext": {"debugData": {"behaviors": "{New IP=NEGATIVE}"}}}, []),
            ({"target": [{"displayName": "x"}, {"displayName": "svc"}]}, ["target"]),
        ],
    ),
    "gcp": (
        {
            "method": ({"product": "gcp", "service": "gcp.audit"}, {"gcp.audit.method_name|endswith": ".buckets.delete"}),
            "break": (
                {"product": "gcp", "service": "gcp.audit"},
                {
                    "s": {
                        "data.protoPayload.resource.type": "k8s_cluster",
                        "data.protoPayload.logName": ["cloudaudit.googleapis.com/activity", "cloudaudit.googleapis.com%2Factivity"],
                        "data.protoPayload.methodName": "io.k8s.core.v1.pods.create",
                    },
                    "k": ["image-policy.k8s.io/break-glass"],
                    "condition": "s and k",
                },
            ),
        },
        [
            ({"protoPayload": {"methodName": "storage.buckets.delete"}}, ["method"]),
            ({"protopayload": {"methodName": "storage.buckets.delete"}}, ["method"]),
            ({"protoPayload": {"methodName": "storage.buckets.get"}}, []),
            (
                {
                    "resource": {"type": "k8s_cluster"},
                    "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
                    "protoPayload": {"methodName": "io.k8s.core.v1.pods.create", "request": {"x": "image-policy.k8s.io/break-glass"}},
                },
                ["break"],
            ),
            (
                {
                    "resource": {"type": "k8s_cluster"},
                    "logName": "projects/p/logs/cloudaudit.googleapis.com%2Fdata_access",
                    "protoPayload": {"methodName": "io.k8s.core.v1.pods.create", "request": {"x": "image-policy.k8s.io/break-glass"}},
                },
                [],
            ),
        ],
    ),
    "google_workspace": (
        {
            "admin": (
                {"product": "gcp", "service": "google_workspace.admin"},
                {"eventService": "admin.googleapis.com", "eventName": "CHANGE_APPLICATION_SETTING", "setting_name|startswith": "ContextAwareAccess"},
            ),
            "login": (
                {"product": "gcp", "service": "google_workspace.login"},
                {"protoPayload.serviceName": "login.googleapis.com", "protoPayload.metadata.event.eventName": "suspicious_login"},
            ),
        },
        [
            (
                {
                    "id": {"applicationName": "admin"},
                    "name": "CHANGE_APPLICATION_SETTING",
                    "parameters": {"SETTING_NAME": "ContextAwareAccess ENABLEMENT"},
                },
                ["admin"],
            ),
            ({"id": {"applicationName": "admin"}, "name": "CHANGE_APPLICATION_SETTING", "parameters": {"SETTING_NAME": "Other"}}, []),
            ({"id": {"applicationName": "login"}, "name": "suspicious_login"}, ["login"]),
            ({"protoPayload": {"serviceName": "login.googleapis.com", "metadata": {"event": [{"eventName": "suspicious_login"}]}}}, ["login"]),
            ({"id": {"applicationName": "drive"}, "name": "suspicious_login"}, []),
        ],
    ),
    "m365": (
        {
            "forward": ({"product": "m365", "service": "audit"}, {"Operation": "Set-Mailbox", "Parameters|contains": "ForwardingSmtpAddress"}),
            "alert": (
                {"product": "m365", "service": "threat_management"},
                {"eventSource": "SecurityComplianceCenter", "eventName": "Potential ransomware activity", "status": "success"},
            ),
        },
        [
            ({"Operation": "Set-Mailbox", "Parameters": [{"Name": "Identity", "Value": "x"}, {"Name": "ForwardingSmtpAddress", "Value": "y"}]}, ["forward"]),
            ({"Operation": "Set-Mailbox", "Parameters": '[{"Name":"ForwardingSmtpAddress"}]'}, ["forward"]),
            ({"Operation": "Set-Mailbox", "Parameters": [{"Name": "Identity", "Value": "x"}]}, []),
            (
                {
                    "Workload": "SecurityComplianceCenter",
                    "Operation": "AlertTriggered",
                    "Name": "Potential ransomware activity",
                    "ResultStatus": "Succeeded",
                },
                ["alert"],
            ),
            (
                {"Workload": "SecurityComplianceCenter", "Operation": "AlertTriggered", "Name": "Potential ransomware activity", "ResultStatus": "Failed"},
                [],
            ),
        ],
    ),
    "github": (
        {"action": ({"product": "github", "service": "audit"}, {"action": "repo.destroy"})},
        [({"action": "repo.destroy", "created_at": 1621305118553}, ["action"]), ({"action": "repo.create"}, [])],
    ),
    "kubernetes": (
        {
            "host_path": (
                {"product": "kubernetes", "service": "audit", "category": "application"},
                {"verb": "create", "objectRef.resource": "pods", "hostPath": "*"},
            ),
            "capabilities": (
                {"product": "kubernetes", "service": "audit", "category": "application"},
                {"verb": "create", "objectRef.resource": "pods", "capabilities": "*"},
            ),
            "group": ({"product": "kubernetes", "service": "audit"}, {"apiGroup": "apps"}),
        },
        [
            (
                {
                    "verb": "create",
                    "objectRef": {"resource": "pods"},
                    "requestObject": {"spec": {"volumes": [{"name": "a"}, {"hostPath": {"path": "/var"}}]}},
                },
                ["host_path"],
            ),
            ({"verb": "create", "objectRef": {"resource": "pods"}, "requestObject": {"spec": {"volumes": [{"emptyDir": {}}]}}}, []),
            (
                {
                    "verb": "create",
                    "objectRef": {"resource": "pods", "apiGroup": "apps"},
                    "requestObject": {"spec": {"containers": [{"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}]}},
                },
                ["capabilities", "group"],
            ),
        ],
    ),
}

# pipelines -> rules each refuses, with a piece of the reason
REFUSED = [
    ("crowdstrike_fdr", {"product": "windows", "category": "process_creation"}, {"ParentImage": "C:\\x\\cmd.exe"}, "parent process"),
    ("crowdstrike_fdr", {"product": "windows", "category": "process_creation"}, {"User|contains": "AUTHORI"}, "domain"),
    ("crowdstrike_fdr", {"category": "network_connection"}, {"DestinationHostname": "x"}, "host names"),
    ("crowdstrike_fdr", {"product": "windows", "service": "security"}, {"EventID": 1}, "no FDR event"),
    ("zeek", {"category": "firewall"}, {"dst_port": 1, "action": "forward"}, "verdicts"),
    ("zeek", {"category": "network_connection"}, {"Image": "x"}, "process"),
    ("auditd", {"product": "linux", "category": "process_creation"}, {"Image": "x", "CommandLine": "y"}, "two records"),
    ("auditd_auoms", {"product": "linux", "service": "auditd"}, {"type": "EXECVE", "a0": "dd"}, "not its words"),
    ("auditd_auoms", {"product": "linux", "category": "process_creation"}, {"ParentImage": "x"}, "do not tell"),
    ("azure", {"product": "azure", "service": "auditlogs"}, {"Initiatedby": "UPN"}, "filled in"),
    ("aws_cloudtrail", {"product": "aws", "service": "cloudtrail"}, {"src_country": "X"}, "no country"),
]

# (pipelines, file, {rule: lines}); only these rules are built
REAL = [
    (
        "aws_cloudtrail",
        "corpora/linux_cloud/cloudtrail/stratus_red_team.ndjson",
        {
            "38e7f511-3f74-41d4-836e-f57dfa18eead": [35, 118],
            "4db60cc0-36fb-42b7-9b58-a5b53019fb74": [86],
            "e386b9b5-af12-450e-afff-761730fb8a98": [91],
            "6fb77778-040f-4015-9440-572aa9b6b580": [177],
            "abae8fec-57bd-4f87-aff6-6e3db989843d": [179],
            "0a5177f4-6ca9-44c2-aacf-d3f3d8b6e4d2": [201, 203],
            "055fb148-60f8-462d-ad16-26926ce050f1": [212],
        },
    ),
    (
        "aws_cloudtrail",
        "corpora/linux_cloud/cloudtrail/invictus.ndjson.zst",
        {
            "39c9f26d-6e3b-4dbb-9c7a-4154b0281112": [1112, 1635, 1846, 2176],
            "c803b2ce-c4a2-4836-beae-b112010390b1": [92, 110, 884, 1114, 1490, 1695],
            "38e7f511-3f74-41d4-836e-f57dfa18eead": [127],
        },
    ),
    (
        "aws_cloudtrail",
        "corpora/linux_cloud/panther_tests/AWS_CloudTrail.ndjson",
        {"a136ac98-b2bc-4189-a14d-f0d0388e57a7": [242, 245, 251, 253], "ccd6a6c8-bb4e-4a91-9d2a-07e632819374": [258]},
    ),
    (
        "azure",
        "corpora/linux_cloud/panther_tests/Azure_Audit.ndjson",
        {
            "352a54e1-74ba-4929-9d47-8193d67aba1e": [3],
            "28eea407-28d7-4e42-b0be-575d5ba60b2c": [10, 11, 25],
            "50a3c7aa-ec29-44a4-92c1-fce229eef6fc": [12, 13],
            "ebbeb024-5b1d-4e16-9c0c-917f86c708a7": [24],
            "0ddcff6d-d262-40b0-804b-80eb592de8e3": [28],
        },
    ),
    (
        "azure",
        "corpora/linux_cloud/panther_tests/Azure_MonitorActivity.ndjson",
        {"92cc3e5d-eb57-419d-8c16-5c63f325a401": [7, 8], "459a2970-bb84-4e6a-a32e-ff0fbd99448d": [36, 37, 38, 48]},
    ),
    (
        "okta",
        "corpora/linux_cloud/panther_tests/Okta_SystemLog.ndjson",
        {
            "413d4a81-6c98-4479-9863-014785fd579c": [5, 6, 9, 27, 32],
            "19951c21-229d-4ccb-8774-b993c3ff3c5c": [7],
            "cf1dbc6b-6205-41b4-9b88-a83980d2255b": [8],
            "969c7590-8c19-4797-8c1b-23155de6e7ac": [11],
            "ee39a9f7-5a79-4b0a-9815-d36b3cf28d3e": [19],
            "50e068d7-1e6b-4054-87e5-0a592c40c7e0": [33, 40, 41],
        },
    ),
    (
        "gcp",
        "corpora/linux_cloud/panther_tests/GCP_AuditLog.ndjson",
        {"4d9f2ee2-c903-48ab-b9c1-8c0f474913d0": [7], "fe513c69-734c-4d4a-8548-ac5f609be82b": [26]},
    ),
    (
        "google_workspace",
        "corpora/linux_cloud/panther_tests/GSuite_ActivityEvent.ndjson",
        {"6aef64e3-60c6-4782-8db3-8448759c714e": [1], "2a0bb2dd-eb5f-4517-8cb9-404f8ba764a5": [37], "38360161-76c4-4283-842e-efcf997dafc8": [78]},
    ),
    ("m365", "corpora/linux_cloud/rsigma_schema_samples.ndjson", {"60de9b57-dc4d-48b9-a6a0-b39e0469f876": [10]}),
    (
        "github",
        "corpora/linux_cloud/panther_tests/GitHub_Audit.ndjson",
        {
            "8622c92d-c00e-463c-b09d-fd06166f6794": [9, 11, 64],
            "dca8991c-cb16-4128-abf8-6b11e5cd156f": [22],
            "3908d64a-3c06-4091-b503-b3a94424533b": [25, 33, 62, 63],
            "16a71777-0b2e-4db7-9888-9d59cb75200b": [46, 57],
        },
    ),
    (
        "kubernetes",
        "corpora/linux_cloud/panther_tests/Amazon_EKS_Audit.ndjson",
        {
            "e31bae15-83ed-473e-bf31-faf4f8a17d36": [18, 19, 20],
            "eed82177-38f5-4299-8a76-098d50d225ab": [21],
            "c5cd1b20-36bb-488d-8c05-486be3d0cb97": [55, 56, 58],
            "402b955c-8fe0-4a8c-b635-622b4ac5f902": [70, 72, 73],
            "eeb3e9e1-b685-44e4-9232-6bb701f925b5": [99, 100, 101, 102, 104, 105, 106],
        },
    ),
    (
        "auditd",
        "corpora/linux_cloud/auditd/parsed.ndjson",
        {"c52a914f-3d8b-4b2a-bb75-b3991e75f8ba": [2], "37222991-11e9-4b6d-8bdf-60fbe48f753e": [2]},
    ),
    ("auditd_auoms", "corpora/linux_cloud/auditd/auoms_parsed.ndjson", {"676381a6-15ca-4d73-a9c8-6a22e970b90d": [15]}),
    ("zeek", "corpora/linux_cloud/zeek/rdp.ndjson", {"1fc0809e-06bf-4de3-ad52-25e5263b7623": []}),
    ("zeek", "corpora/linux_cloud/zeek/conn.ndjson", {"1fc0809e-06bf-4de3-ad52-25e5263b7623": []}),
    ("zeek", "corpora/linux_cloud/zeek/http.ndjson", {"7745c2ea-24a5-4290-b680-04359cb84b35": [61]}),
    (
        "zeek",
        "corpora/linux_cloud/zeek/mordor_apt29_http.ndjson",
        {
            "aac2fd97-bcba-491b-ad66-a6edf89c71bf": [59, 60, 61, 62],
            "e09aed7a-09e0-4c9a-90dd-f0d52507347e": [61, 62],
            "705072a5-bb6f-4ced-95b6-ecfa6602090b": [],
        },
    ),
    (
        "crowdstrike_fdr",
        "corpora/fdr/panther_analysis.ndjson",
        {
            "ca2092a1-c273-4878-9b4b-0d60115bf5ea": [14],
            "a642964e-bead-4bed-8910-1bb4d63e3b4d": [20],
            "60fc936d-2eb0-4543-8a13-911c750a1dfc": [21, 23, 39],
            "e31033fc-33f0-4020-9a16-faf9b31cbf08": [34, 35, 41],
            "438025f9-5856-4663-83f7-52f878a70a50": [38],
            "502b42de-4306-40b4-9596-6f590c81f073": [42],
        },
    ),
    (
        "crowdstrike_fdr",
        "corpora/fdr/sekoia.ndjson",
        {"c3a99af4-35a9-4668-879e-c09aeb4f2bdf": [25], "4fc0deee-0057-4998-ab31-d24e46e0aba4": []},
    ),
    ("crowdstrike_fdr fdr_envelope", "corpora/fdr/panther_analysis_enveloped.ndjson", {"ca2092a1-c273-4878-9b4b-0d60115bf5ea": [14]}),
    ("sysmon_linux", "corpora/linux_cloud/sysmon_linux/flat.ndjson", {"83dcd9f6-9ca8-4af7-a16e-a1c7a6b51871": [34]}),
    ("sysmon_linux", "corpora/linux_cloud/sysmon_linux/nested.ndjson", {"83dcd9f6-9ca8-4af7-a16e-a1c7a6b51871": [34]}),
    (
        "windows_audit",
        "corpora/sysmon/slices/security_4688.flat.ndjson",
        {
            "dcaa3f04-70c3-427a-80b4-b870d73c94c4": [7, 14, 19, 21],
            "d21374ff-f574-44a7-9998-4a8c8bf33d7d": [38, 53, 55],
            "c30fb093-1109-4dc8-88a8-b30d11c95a5d": [50],
            "502b42de-4306-40b4-9596-6f590c81f073": [52, 337],
            "ab9e3b40-0c85-4ba1-aede-455d226fd124": [53, 55],
            "60fc936d-2eb0-4543-8a13-911c750a1dfc": [120],
        },
    ),
    (
        "windows_eventlog",
        "corpora/sysmon/slices/powershell_4104.%s.ndjson",
        {
            "df69cb1d-b891-4cd9-90c7-d617d90100ce": [71],
            "ca8b77a9-d499-4095-b793-5d5f330d450e": [72],
            "0f017df3-8f5a-414f-ad6b-24aff1128278": [97],
            "c1344fa2-323b-4d2e-9176-84b4d4821c88": [101, 103],
            "488b44e7-3781-4a71-888d-c95abfacf44d": [105],
            "84c174ab-d3ef-481f-9c86-a50d0b8e3edb": [148],
        },
    ),
    (
        "sysmon_windows",
        "corpora/sysmon/slices/sysmon_eid3.%s.ndjson",
        {
            "1f21ec3f-810d-4b0e-8045-322202e22b4b": [3, 59, 60, 71, 114, 115],
            "c7e91a02-d771-4a6d-a700-42587e0b1095": [4, 69],
            "0dba975d-a193-4ed1-a067-424df57570d1": [7, 8],
            "ed74fe75-7594-4b4b-ae38-e38e3fd2eb23": [11, 16],
        },
    ),
    (
        "sysmon_windows",
        "corpora/sysmon/slices/sysmon_eid1.%s.ndjson",
        {
            "9637e8a5-7131-4f7f-bdc7-2b05d8670c43": [1],
            "cc9cbe82-7bc0-4ef5-bc23-bbfb83947be7": [20],
            "d059842b-6b9d-4ed1-b5c3-5b89143c6ede": [23],
            "d042284c-a296-4988-9be5-f424fadcc28c": [28],
            "b98d0db6-511d-45de-ad02-e82a98729620": [33],
            "d3c3861d-c504-4c77-ba55-224ba82d0118": [71],
            "56321594-9087-49d9-bf10-524fe8479452": [75],
            "9aa5106d-bce3-4b13-86df-3a20f1d5cf0b": [98],
        },
    ),
]


def pipeline_args(names):
    return [x for name in names.split() for x in ("-p", name)]


class Small(Case):
    def test_rules_and_events(self):
        for pipelines, (rules, events) in list(SMALL.items())[::3 if ASAN else 1]:  # the code is the same for all
            with self.subTest(pipelines=pipelines):
                folder = pipelines.replace(" ", "+")
                for name, parts in rules.items():
                    self.write("%s/%s.yml" % (folder, name), json.dumps(build_rule(name, *parts)))
                det = self.build(self.path(folder), "--pack", *pipeline_args(pipelines), out=folder + ".det")
                lines = "".join(json.dumps(e) + "\n" for e, _ in events)
                got = [[] for _ in events]
                for alert in self.detect(det, stdin=lines.encode()):
                    got[alert["source"]["line"] - 1].append(alert["rule"]["id"])
                for (event, want), have in zip(events, got):
                    self.assertEqual(sorted(have), sorted(want), "%s: %s" % (pipelines, json.dumps(event)))

    def test_refusals(self):
        for i, (pipeline, logsource, detection, reason) in enumerate(REFUSED):
            with self.subTest(pipeline=pipeline, detection=detection):
                path = self.write("refused%d.yml" % i, json.dumps(build_rule("refused", logsource, detection)))
                p = self.sigcc("build", path, "-p", pipeline, "-o", self.path("refused"), status=1)
                self.assertIn(reason, p.stderr.decode())

    def test_every_shipped_pipeline_is_here(self):
        shipped = {name[:-4] for name in os.listdir(os.path.join(ROOT, "sigma/pipelines")) if name.endswith(".yml")}
        self.assertEqual(shipped, {name for key in SMALL for name in key.split()})


def rules_by_id(wanted):
    """Paths of the published rules with these ids."""
    found = {}
    for base, _, files in os.walk(os.path.join(SHARED, "sigmahq")):
        for name in files:
            if not name.endswith(".yml") or "/rules" not in base:
                continue
            path = os.path.join(base, name)
            with open(path, encoding="utf-8") as f:
                m = re.search(r"^id: *([0-9a-f-]{36})", f.read(2000), re.M)
            if m and m.group(1) in wanted:
                found[m.group(1)] = path
    return found


@need_shared("sigmahq")
@need_shared("corpora")
class Real(Case):
    def test_published_rules_over_real_logs(self):
        paths = rules_by_id({rule for _, _, want in REAL for rule in want})
        for i, (pipelines, file, want) in enumerate(REAL):
            det = self.build(*[paths[r] for r in want], "--pack", *pipeline_args(pipelines), out="det%d" % i)
            for shape in ("flat", "nested", "winlog") if "%s" in file else ("",):
                log = shared(file % shape if shape else file)
                with self.subTest(pipelines=pipelines, log=log):
                    got = {rule: [] for rule in want}
                    for alert in self.detect(det, "--no-event", log):
                        got[alert["rule"]["id"]].append(alert["source"]["line"])
                    self.assertEqual(got, want)


if __name__ == "__main__":
    main()
