//! Which of our modules do the work of which Java class: the loggers that exist from the start.

/// Java logger names and the paths of our modules.
pub(super) const TARGETS: [(&str, &[&str]); 30] = [
    ("io.confluent.connect.s3.S3SinkTask", &["lakeward_sinks::s3"]),
    ("io.confluent.connect.s3.TopicPartitionWriter", &["lakeward_sinks::s3::task"]),
    ("io.confluent.kafka.schemaregistry.client.rest.RestService", &["lakeward_registry"]),
    ("org.apache.kafka.clients.NetworkClient", &["rdkafka"]),
    ("org.apache.kafka.clients.admin.KafkaAdminClient", &["lakeward_kafka::admin"]),
    ("org.apache.kafka.clients.consumer.KafkaConsumer", &["lakeward_kafka::consumer"]),
    ("org.apache.kafka.clients.producer.KafkaProducer", &["lakeward_kafka::producer"]),
    ("org.apache.kafka.connect.file.FileStreamSinkTask", &["lakeward_sinks::file_stream"]),
    ("org.apache.kafka.connect.file.FileStreamSourceTask", &["lakeward_sources::file_stream"]),
    ("org.apache.kafka.connect.json.JsonConverter", &["lakeward_formats::converter::json"]),
    ("org.apache.kafka.connect.runtime.AbstractHerder", &["lakeward_controlplane::validation"]),
    ("org.apache.kafka.connect.runtime.Connect", &["lakeward_controlplane::control_plane"]),
    ("org.apache.kafka.connect.runtime.Loggers", &["lakeward_controlplane::loggers"]),
    ("org.apache.kafka.connect.runtime.Worker", &["lakeward_dataplane"]),
    (
        "org.apache.kafka.connect.runtime.WorkerConfigTransformer",
        &["lakeward_controlplane::config_providers"],
    ),
    ("org.apache.kafka.connect.runtime.WorkerConnector", &["lakeward_controlplane::herder::lifecycle"]),
    ("org.apache.kafka.connect.runtime.WorkerSinkTask", &["lakeward_dataplane::task"]),
    ("org.apache.kafka.connect.runtime.WorkerSourceTask", &["lakeward_dataplane::source"]),
    ("org.apache.kafka.connect.runtime.distributed.DistributedHerder", &["lakeward_controlplane::herder"]),
    ("org.apache.kafka.connect.runtime.distributed.WorkerGroupMember", &["lakeward_kafka::membership"]),
    (
        "org.apache.kafka.connect.runtime.errors.DeadLetterQueueReporter",
        &["lakeward_dataplane::task::dead_letter"],
    ),
    ("org.apache.kafka.connect.runtime.rest.RestClient", &["lakeward_controlplane::rest::forward"]),
    ("org.apache.kafka.connect.runtime.rest.RestServer", &["lakeward_controlplane::rest"]),
    (
        "org.apache.kafka.connect.runtime.rest.resources.ConnectorsResource",
        &["lakeward_controlplane::rest::connectors"],
    ),
    (
        "org.apache.kafka.connect.runtime.rest.resources.LoggingResource",
        &["lakeward_controlplane::rest::loggers"],
    ),
    (
        "org.apache.kafka.connect.runtime.standalone.StandaloneHerder",
        &["lakeward_controlplane::standalone_files"],
    ),
    ("org.apache.kafka.connect.storage.KafkaConfigBackingStore", &["lakeward_controlplane::store"]),
    ("org.apache.kafka.connect.storage.KafkaOffsetBackingStore", &["lakeward_kafka::offset_store"]),
    ("org.apache.kafka.connect.util.KafkaBasedLog", &["lakeward_kafka::log"]),
    ("org.apache.kafka.connect.util.TopicAdmin", &["lakeward_kafka::group_offsets"]),
];
