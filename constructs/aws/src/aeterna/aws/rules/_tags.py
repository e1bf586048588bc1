"""The types of AWS that carry tags: those of the bound schema, and some that customers often add."""

from __future__ import annotations

from typing import Final

_TYPES: Final = """
    acm_certificate athena_workgroup backup_plan backup_restore_testing_plan backup_vault budgets_budget
    cloudtrail cloudwatch_event_rule cloudwatch_log_group cloudwatch_metric_alarm db_event_subscription
    db_instance db_option_group db_parameter_group db_proxy db_subnet_group default_security_group docdb_cluster
    dynamodb_table ebs_volume ecr_repository efs_file_system eip eks_access_entry eks_addon eks_cluster
    eks_fargate_profile eks_identity_provider_config eks_node_group eks_pod_identity_association
    elasticache_parameter_group elasticache_replication_group elasticache_serverless_cache
    elasticache_subnet_group elasticache_user elasticache_user_group emrserverless_application flow_log
    glue_catalog_database grafana_workspace guardduty_detector iam_instance_profile iam_openid_connect_provider
    iam_policy iam_role iam_service_linked_role instance internet_gateway kinesis_stream kms_key kms_replica_key
    launch_template lb lb_listener lb_target_group memorydb_cluster nat_gateway neptune_cluster network_acl
    opensearch_domain prometheus_rule_group_namespace prometheus_scraper prometheus_workspace ram_resource_share
    rds_cluster rds_cluster_endpoint rds_cluster_instance rds_cluster_parameter_group rds_global_cluster
    redshift_cluster route53_resolver_endpoint route53_resolver_rule route53_zone route_table s3_access_point
    s3_bucket s3tables_table s3tables_table_bucket secretsmanager_secret security_group sns_topic sqs_queue
    ssm_parameter subnet vpc vpc_dhcp_options vpc_endpoint vpc_endpoint_service vpc_peering_connection
    vpc_security_group_egress_rule vpc_security_group_ingress_rule wafv2_ip_set wafv2_web_acl
"""

TAGS: Final = {f"aws_{name}": "tags" for name in _TYPES.split()}
