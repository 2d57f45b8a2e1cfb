DROP TABLE registry.gateway_rejections;
DROP TABLE registry.gateways;
DROP TABLE registry.gateway_watches;
DROP TABLE registry.gateway_epochs;
DROP TABLE registry.gateway_instances;
