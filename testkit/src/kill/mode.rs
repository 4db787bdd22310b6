//! What runs during a kill test: connectors that cut files, or commit, in different ways.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

use crate::broker::KafkaBroker;
use crate::child::RunFolder;
use crate::iceberg::IcebergCatalog;
use crate::objects::Objects;
use crate::store::{ACCESS_KEY, REGION, SECRET_KEY, Versitygw};

/// A way of delivering records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Small Parquet files by `flush.size`, several open at a time.
    Count,
    /// `flush.size`, and records that cannot be read go to a dead letter queue.
    DeadLetters,
    /// Files of several parts that go from task to task with `lakeward.handover.ms`.
    Handover,
    /// Snapshots of partitioned tables of Apache Iceberg, which the sink makes.
    Iceberg,
    /// `rotate.interval.ms` with the time of records.
    Interval,
    /// Files that are stored in several parts.
    Parts,
    /// `rotate.schedule.interval.ms`.
    Schedule,
    /// Lines of a file to a topic, exactly once.
    Source,
    /// `rotate.interval.ms` with the time of the clock.
    Wallclock,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Count,
        Self::DeadLetters,
        Self::Handover,
        Self::Iceberg,
        Self::Interval,
        Self::Parts,
        Self::Schedule,
        Self::Source,
        Self::Wallclock,
    ];

    /// Those that run together when none is named. [`Mode::Handover`] restarts its tasks all the time and has
    /// a run of its own in the tests.
    pub const TOGETHER: [Self; 8] = [
        Self::Count,
        Self::DeadLetters,
        Self::Iceberg,
        Self::Interval,
        Self::Parts,
        Self::Schedule,
        Self::Source,
        Self::Wallclock,
    ];

    /// As the command line names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::DeadLetters => "dead-letters",
            Self::Handover => "handover",
            Self::Iceberg => "iceberg",
            Self::Interval => "interval",
            Self::Parts => "parts",
            Self::Schedule => "schedule",
            Self::Source => "source",
            Self::Wallclock => "wallclock",
        }
    }

    /// Records per second and in all partitions.
    pub(super) fn rate(self) -> usize {
        match self {
            Self::Count => 400,
            Self::Handover => 160,
            Self::Parts => 80,
            Self::DeadLetters
            | Self::Iceberg
            | Self::Interval
            | Self::Schedule
            | Self::Source
            | Self::Wallclock => 200,
        }
    }

    /// Partitions of its topic.
    pub(super) fn partitions(self) -> usize {
        match self {
            Self::Parts | Self::Source => 1,
            _ => 4,
        }
    }

    /// Records after which a file ends; `None` when time decides.
    pub(super) fn flush_size(self) -> Option<usize> {
        match self {
            Self::Count => Some(300),
            Self::DeadLetters => Some(100),
            Self::Handover | Self::Parts => Some(400),
            Self::Iceberg | Self::Interval | Self::Schedule | Self::Source | Self::Wallclock => None,
        }
    }

    fn settings(self) -> Vec<(&'static str, &'static str)> {
        const TIME_BASED: [(&str, &str); 5] = [
            ("partitioner.class", "io.confluent.connect.storage.partitioner.TimeBasedPartitioner"),
            ("partition.duration.ms", "60000"),
            ("path.format", "'date'=YYYY-MM-dd/'minute'=HH-mm"),
            ("locale", "en-US"),
            ("timezone", "UTC"),
        ];
        match self {
            Self::Count => vec![
                ("format.class", "io.confluent.connect.s3.format.parquet.ParquetFormat"),
                ("value.converter.schemas.enable", "true"),
                ("partitioner.class", "io.confluent.connect.storage.partitioner.FieldPartitioner"),
                ("partition.field.name", "kind"),
            ],
            Self::DeadLetters => {
                vec![("errors.tolerance", "all"), ("errors.deadletterqueue.topic.replication.factor", "1")]
            }
            Self::Interval => {
                [&TIME_BASED[..], &[("rotate.interval.ms", "2000"), ("timestamp.extractor", "Record")]]
                    .concat()
            }
            Self::Handover => vec![("s3.part.size", "5242880"), ("lakeward.handover.ms", "20000")],
            Self::Parts => vec![("s3.part.size", "5242880")],
            Self::Schedule => vec![("rotate.schedule.interval.ms", "1500"), ("timezone", "UTC")],
            Self::Iceberg | Self::Source => Vec::new(),
            Self::Wallclock => {
                let wallclock = [("rotate.interval.ms", "1500"), ("timestamp.extractor", "Wallclock")];
                [&TIME_BASED[..], &wallclock].concat()
            }
        }
    }
}

impl FromStr for Mode {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match Self::ALL.into_iter().find(|mode| mode.name() == text) {
            Some(mode) => Ok(mode),
            None => bail!("no mode is called {text}; there are {}", Self::ALL.map(Self::name).join(", ")),
        }
    }
}

/// A connector of the test and what belongs to it.
pub(super) struct Connector {
    pub(super) mode: Mode,
    pub(super) name: String,
    pub(super) topic: String,
    /// Where records that cannot be read go.
    pub(super) dead_letters: String,
    pub(super) objects: Objects,
    /// The file of a source, and the folder it is in.
    pub(super) file: PathBuf,
    _folder: RunFolder,
    pub(super) lake: Option<Lake>,
    pub(super) config: Value,
}

/// The catalog of [`Mode::Iceberg`]; its tables are made for the names in records.
pub(super) struct Lake {
    catalog: IcebergCatalog,
    store: String,
}

/// One connector per mode, with topics and buckets of their own.
pub(super) fn connectors(
    modes: &[Mode],
    broker: &KafkaBroker,
    store: &Versitygw,
) -> anyhow::Result<Vec<Connector>> {
    let one = |mode: &Mode| {
        let name = crate::unique(mode.name());
        let partitions = i32::try_from(mode.partitions()).context("partitions")?;
        let topic = broker.create_topic(mode.name(), partitions)?;
        let objects = store.create_bucket(mode.name())?;
        let folder = RunFolder::new(mode.name())?;
        let file = folder.file("lines.txt");
        std::fs::write(&file, "").context("making the file of the source")?;
        let dead_letters = format!("{name}-dead-letters");
        let mut connector = Connector {
            mode: *mode,
            name,
            topic,
            dead_letters,
            objects,
            file,
            _folder: folder,
            lake: None,
            config: Value::Null,
        };
        connector.config = match mode {
            Mode::Iceberg => {
                let lake = connector.lake.insert(Lake::start(connector.objects.bucket(), store)?);
                let mut config = lake.config();
                config["topics"] = Value::from(connector.topic.as_str());
                config
            }
            Mode::Source => source_config(&connector),
            _ => sink_config(&connector, store),
        };
        Ok(connector)
    };
    modes.iter().map(one).collect()
}

fn sink_config(connector: &Connector, store: &Versitygw) -> Value {
    let endpoint = store.endpoint();
    // Without a number, time decides long before this many records.
    let flush_size = connector.mode.flush_size().unwrap_or(1_000_000).to_string();
    let mut config = Map::new();
    let mut set = |name: &str, value: &str| config.insert(name.to_owned(), Value::from(value));
    for (name, value) in [
        ("connector.class", "io.confluent.connect.s3.S3SinkConnector"),
        ("tasks.max", "2"),
        ("topics", &connector.topic),
        ("s3.bucket.name", connector.objects.bucket()),
        ("s3.region", REGION),
        ("store.url", &endpoint),
        ("aws.access.key.id", ACCESS_KEY),
        ("aws.secret.access.key", SECRET_KEY),
        ("storage.class", "io.confluent.connect.s3.storage.S3Storage"),
        ("format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
        ("flush.size", &flush_size),
        ("consumer.override.session.timeout.ms", "3000"),
        ("consumer.override.heartbeat.interval.ms", "1000"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter.schemas.enable", "false"),
    ] {
        set(name, value);
    }
    if connector.mode == Mode::DeadLetters {
        set("errors.deadletterqueue.topic.name", &connector.dead_letters);
    }
    for (name, value) in connector.mode.settings() {
        set(name, value);
    }
    Value::Object(config)
}

impl Lake {
    /// A catalog without tables; their files will be in the bucket.
    fn start(bucket: &str, store: &Versitygw) -> anyhow::Result<Self> {
        let catalog = IcebergCatalog::start_in(&format!("s3://{bucket}/t"))?;
        Ok(Self { catalog, store: store.endpoint() })
    }

    /// The name of the table of record `id`.
    pub(super) fn table_of(id: u64) -> String {
        format!("{NAMESPACE}.t{}", id / RECORDS_PER_TABLE)
    }

    fn python(&self, script: &str, args: &[&str]) -> anyhow::Result<Value> {
        self.catalog.python_with_store(&self.store, script, args)
    }

    /// The ids of all rows of the tables of records up to `count`.
    pub(super) fn ids(&self, count: u64) -> anyhow::Result<Vec<u64>> {
        let script = "from pyiceberg.exceptions import NoSuchTableError\n\
                      ids = []\n\
                      for name in args:\n\
                      \x20   try: ids += catalog.load_table(name).scan().to_arrow()['id'].to_pylist()\n\
                      \x20   except NoSuchTableError: pass\n\
                      answer(ids)";
        let last = count.saturating_sub(1) / RECORDS_PER_TABLE;
        let names: Vec<String> = (0..=last).map(|table| Self::table_of(table * RECORDS_PER_TABLE)).collect();
        let ids = self.python(script, &names.iter().map(String::as_str).collect::<Vec<_>>())?;
        let ids = ids.as_array().context("the reader did not answer with a list")?;
        ids.iter().map(|id| id.as_u64().context("an id is not a number")).collect()
    }

    fn config(&self) -> Value {
        json!({
            "connector.class": "org.apache.iceberg.connect.IcebergSinkConnector",
            "tasks.max": "2",
            "iceberg.tables.dynamic-enabled": "true",
            "iceberg.tables.route-field": "table",
            "iceberg.tables.auto-create-enabled": "true",
            "iceberg.tables.default-partition-by": "bucket(id, 4)",
            "iceberg.control.commit.interval-ms": "700",
            "iceberg.catalog.type": "rest",
            "iceberg.catalog.uri": self.catalog.endpoint(),
            "iceberg.catalog.s3.endpoint": self.store,
            "iceberg.catalog.s3.path-style-access": "true",
            "iceberg.catalog.s3.access-key-id": ACCESS_KEY,
            "iceberg.catalog.s3.secret-access-key": SECRET_KEY,
            "iceberg.catalog.client.region": REGION,
            "consumer.override.session.timeout.ms": "3000",
            "consumer.override.heartbeat.interval.ms": "1000",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "false",
        })
    }
}

/// Of the tables of [`Mode::Iceberg`].
const NAMESPACE: &str = "kill";
/// Few enough that faults meet the making of tables again and again.
const RECORDS_PER_TABLE: u64 = 1_000;

/// Offsets in a topic of its own: transactions write there, and the worker's topic gets copies.
fn source_config(connector: &Connector) -> Value {
    json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "tasks.max": "1",
        "file": connector.file.display().to_string(),
        "topic": connector.topic,
        "batch.size": "50",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "offsets.storage.topic": format!("{}-offsets", connector.name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_found_by_their_names() {
        for mode in Mode::ALL {
            assert_eq!(mode.name().parse::<Mode>().unwrap(), mode);
        }
        assert!("everything".parse::<Mode>().unwrap_err().to_string().contains("wallclock"));
    }
}
