"""The types of Azure that carry tags: those of the bound schema, and some that customers often add."""

from __future__ import annotations

from typing import Final

_TYPES: Final = """
    application_gateway application_insights availability_set bastion_host container_registry cosmosdb_account
    dashboard_grafana data_protection_backup_vault disk_encryption_set dns_a_record dns_zone eventhub_namespace
    firewall firewall_policy key_vault key_vault_key key_vault_managed_hardware_security_module key_vault_secret
    kubernetes_cluster kubernetes_cluster_node_pool kubernetes_fleet_manager linux_virtual_machine
    log_analytics_cluster log_analytics_workspace managed_disk managed_redis monitor_action_group
    monitor_alert_prometheus_rule_group monitor_data_collection_endpoint monitor_data_collection_rule
    monitor_metric_alert monitor_scheduled_query_rules_alert_v2 monitor_workspace mssql_server nat_gateway
    network_interface network_security_group network_watcher_flow_log postgresql_flexible_server
    private_dns_a_record private_dns_zone private_dns_zone_virtual_network_link private_endpoint
    proximity_placement_group public_ip public_ip_prefix resource_group route_table servicebus_namespace
    storage_account user_assigned_identity virtual_machine virtual_network web_application_firewall_policy
"""

TAGS: Final = {f"azurerm_{name}": "tags" for name in _TYPES.split()}
