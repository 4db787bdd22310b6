//! The allow-list: which Java settings pass, and under which library name.

use super::ClientKind;

/// Settings that are read together with others (stores, credentials), not one by one.
pub(super) const HANDLED_TOGETHER: &[&str] = &[
    "sasl.jaas.config",
    "ssl.key.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
];

/// `(Java name, library name)` for every client.
const COMMON: &[(&str, &str)] = &[
    ("bootstrap.servers", "bootstrap.servers"),
    ("client.dns.lookup", "client.dns.lookup"),
    ("client.id", "client.id"),
    ("client.rack", "client.rack"),
    ("connections.max.idle.ms", "connections.max.idle.ms"),
    ("metadata.max.age.ms", "metadata.max.age.ms"),
    ("receive.buffer.bytes", "socket.receive.buffer.bytes"),
    ("reconnect.backoff.max.ms", "reconnect.backoff.max.ms"),
    ("reconnect.backoff.ms", "reconnect.backoff.ms"),
    ("request.timeout.ms", "socket.timeout.ms"),
    ("retry.backoff.max.ms", "retry.backoff.max.ms"),
    ("retry.backoff.ms", "retry.backoff.ms"),
    ("sasl.mechanism", "sasl.mechanism"),
    ("security.protocol", "security.protocol"),
    ("send.buffer.bytes", "socket.send.buffer.bytes"),
    ("socket.connection.setup.timeout.ms", "socket.connection.setup.timeout.ms"),
    ("ssl.endpoint.identification.algorithm", "ssl.endpoint.identification.algorithm"),
];

const CONSUMER: &[(&str, &str)] = &[
    ("allow.auto.create.topics", "allow.auto.create.topics"),
    ("auto.offset.reset", "auto.offset.reset"),
    ("check.crcs", "check.crcs"),
    ("fetch.max.bytes", "fetch.max.bytes"),
    ("fetch.max.wait.ms", "fetch.wait.max.ms"),
    ("fetch.min.bytes", "fetch.min.bytes"),
    ("group.id", "group.id"),
    ("group.instance.id", "group.instance.id"),
    ("heartbeat.interval.ms", "heartbeat.interval.ms"),
    ("isolation.level", "isolation.level"),
    ("max.partition.fetch.bytes", "max.partition.fetch.bytes"),
    ("max.poll.interval.ms", "max.poll.interval.ms"),
    ("partition.assignment.strategy", "partition.assignment.strategy"),
    ("session.timeout.ms", "session.timeout.ms"),
];

const PRODUCER: &[(&str, &str)] = &[
    ("acks", "acks"),
    ("batch.size", "batch.size"),
    ("buffer.memory", "queue.buffering.max.kbytes"),
    ("compression.type", "compression.type"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("enable.idempotence", "enable.idempotence"),
    ("linger.ms", "linger.ms"),
    ("max.in.flight.requests.per.connection", "max.in.flight.requests.per.connection"),
    ("max.request.size", "message.max.bytes"),
    ("retries", "retries"),
    ("transaction.timeout.ms", "transaction.timeout.ms"),
    ("transactional.id", "transactional.id"),
];

/// The library's name for a Java setting, if clients of this kind may have it.
pub(super) fn library_name(kind: ClientKind, java_name: &str) -> Option<&'static str> {
    let own = match kind {
        ClientKind::Admin => &[],
        ClientKind::Consumer => CONSUMER,
        ClientKind::Producer => PRODUCER,
    };
    let mut table = COMMON.iter().chain(own);
    table.find(|(java, _)| *java == java_name).map(|(_, library)| *library)
}

/// Java's defaults of every client where the library's differ. A broker that hung is found again within
/// seconds: with the library's own, a worker looks for it every 10 s and waits 30 s for each connection.
pub(super) const JAVA_DEFAULTS: &[(&str, &str)] = &[
    ("log.connection.close", "false"),
    ("reconnect.backoff.max.ms", "1000"),
    ("reconnect.backoff.ms", "50"),
    ("socket.connection.setup.timeout.ms", "10000"),
];

/// Those of a kind, plus settings without which small queues stall.
pub(super) fn java_defaults(kind: ClientKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        ClientKind::Admin => &[],
        ClientKind::Consumer => &[
            ("allow.auto.create.topics", "true"),
            ("auto.offset.reset", "latest"),
            ("check.crcs", "true"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            // The library's default makes a full queue wait for 1 s each time: 26 MB/s instead of 400. Each
            // wait ends with a look at every partition: with 1,000 of them and 5 ms that was a tenth of all
            // work. A queue of 4 MiB lasts for 15 ms at 270 MB/s.
            ("fetch.queue.backoff.ms", "15"),
            // Java's 50 MiB and 1 MiB let one response, decompressed, exceed what a whole task may use.
            // Larger records still pass: a broker always answers with at least one batch.
            ("fetch.max.bytes", "2097152"),
            ("max.partition.fetch.bytes", "524288"),
            ("isolation.level", "read_uncommitted"),
            ("partition.assignment.strategy", "cooperative-sticky"),
            ("queued.max.messages.kbytes", "4096"),
            // Two turns of a shard. The library keeps 400 bytes beside each message, whose queue is full by
            // these sooner than by its own when messages are small.
            ("queued.min.messages", "8192"),
        ],
        ClientKind::Producer => &[
            ("acks", "all"),
            // Java's default partitioner hashes keys with murmur2: the internal topics depend on it.
            ("partitioner", "murmur2_random"),
        ],
    }
}
