//! The jars of Apache Kafka and Kafka Connect, of the formats of a schema registry and of Parquet, by Maven.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, ensure};

use super::Install;
use crate::run::run;

/// The release that behaviour is compared with.
const KAFKA_VERSION: &str = "4.1.0";
/// Kafka 4.1 brings log4j-core of this version, but not the binding of its logging facade.
const LOG4J_VERSION: &str = "2.24.3";
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// What `differential` reads and writes the formats of a schema registry with. Each jar is named: what it
/// needs is named, too, or among Kafka's.
const REGISTRY: [Artifact; 11] = [
    Artifact("com.github.erosb", "everit-json-schema", "1.14.6"),
    Artifact("com.google.api.grpc", "proto-google-common-protos", "2.53.0"),
    Artifact("com.google.protobuf", "protobuf-java", "4.34.0"),
    Artifact("com.squareup.okio", "okio-jvm", "3.17.0"),
    Artifact("com.squareup.wire", "wire-runtime-jvm", "6.2.0"),
    Artifact("com.squareup.wire", "wire-schema-jvm", "6.2.0"),
    Artifact("io.apicurio", "apicurio-registry-serdes-avro-serde", "2.6.8.Final"),
    Artifact("io.apicurio", "apicurio-registry-utils-converter", "2.6.8.Final"),
    Artifact("org.apache.avro", "avro", "1.12.1"),
    Artifact("org.jetbrains.kotlin", "kotlin-stdlib", "2.0.21"),
    Artifact("org.json", "json", "20250107"),
];

/// What Java's readers of Parquet need beside the jars of Kafka and of [`REGISTRY`].
const PARQUET: [Artifact; 13] = [
    Artifact("com.fasterxml.woodstox", "woodstox-core", "5.4.0"),
    Artifact("io.airlift", "aircompressor", "2.0.2"),
    Artifact("org.apache.hadoop", "hadoop-common", "3.4.1"),
    Artifact("org.apache.hadoop", "hadoop-mapreduce-client-core", "3.4.1"),
    Artifact("org.apache.hadoop.thirdparty", "hadoop-shaded-guava", "1.3.0"),
    Artifact("org.apache.parquet", "parquet-avro", PARQUET_VERSION),
    Artifact("org.apache.parquet", "parquet-column", PARQUET_VERSION),
    Artifact("org.apache.parquet", "parquet-common", PARQUET_VERSION),
    Artifact("org.apache.parquet", "parquet-encoding", PARQUET_VERSION),
    Artifact("org.apache.parquet", "parquet-format-structures", PARQUET_VERSION),
    Artifact("org.apache.parquet", "parquet-hadoop", PARQUET_VERSION),
    Artifact("org.apache.parquet", "parquet-jackson", PARQUET_VERSION),
    Artifact("org.codehaus.woodstox", "stax2-api", "4.2.2"),
];
/// The release that the S3 sink writes with.
const PARQUET_VERSION: &str = "1.15.2";

/// The release whose catalog tests commit to.
const ICEBERG_VERSION: &str = "1.10.0";

/// Drivers of the databases whose tables Java's SQL catalog keeps.
const JDBC: [Artifact; 2] =
    [Artifact("org.postgresql", "postgresql", "42.7.7"), Artifact("org.xerial", "sqlite-jdbc", "3.50.3.0")];

/// Held while Maven runs: two of them at once may spoil its local repository.
static MAVEN: Mutex<()> = Mutex::new(());

/// Group, name and version.
struct Artifact(&'static str, &'static str, &'static str);

/// Whether what an artifact depends on is fetched, too.
#[derive(Clone, Copy)]
enum Dependencies {
    With,
    Without,
}

/// `.lakeward/kafka`: the jars under `libs/`.
pub(super) fn kafka() -> Install {
    Install {
        folder: "kafka",
        version: format!("{KAFKA_VERSION} log4j {LOG4J_VERSION} basic auth"),
        install: copy_kafka,
    }
}

/// `.lakeward/registry`: the jars under `libs/`.
pub(super) fn registry() -> Install {
    Install { folder: "registry", version: names(&REGISTRY), install: copy_registry }
}

/// `.lakeward/iceberg`: the jars under `libs/`.
pub(super) fn iceberg() -> Install {
    Install { folder: "iceberg", version: ICEBERG_VERSION.to_owned(), install: copy_iceberg }
}

/// `.lakeward/jdbc`: the jars under `libs/`.
pub(super) fn jdbc() -> Install {
    Install { folder: "jdbc", version: names(&JDBC), install: copy_jdbc }
}

/// `.lakeward/parquet`: the jars under `libs/`.
pub(super) fn parquet() -> Install {
    Install { folder: "parquet", version: names(&PARQUET), install: copy_parquet }
}

fn names(artifacts: &[Artifact]) -> String {
    let names: Vec<String> =
        artifacts.iter().map(|Artifact(_, name, version)| format!("{name} {version}")).collect();
    names.join(", ")
}

fn copy_kafka(folder: &Path) -> anyhow::Result<()> {
    let artifacts = [
        Artifact("org.apache.kafka", "kafka_2.13", KAFKA_VERSION),
        Artifact("org.apache.kafka", "connect-runtime", KAFKA_VERSION),
        Artifact("org.apache.kafka", "connect-basic-auth-extension", KAFKA_VERSION),
        Artifact("org.apache.kafka", "connect-file", KAFKA_VERSION),
        Artifact("org.apache.kafka", "connect-json", KAFKA_VERSION),
        Artifact("org.apache.logging.log4j", "log4j-core", LOG4J_VERSION),
        Artifact("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J_VERSION),
    ];
    copy_jars(folder, &artifacts, Dependencies::With)
}

fn copy_iceberg(folder: &Path) -> anyhow::Result<()> {
    copy_jars(folder, &[Artifact("org.apache.iceberg", "iceberg-core", ICEBERG_VERSION)], Dependencies::With)
}

fn copy_jdbc(folder: &Path) -> anyhow::Result<()> {
    copy_jars(folder, &JDBC, Dependencies::Without)
}

fn copy_registry(folder: &Path) -> anyhow::Result<()> {
    copy_jars(folder, &REGISTRY, Dependencies::Without)
}

fn copy_parquet(folder: &Path) -> anyhow::Result<()> {
    copy_jars(folder, &PARQUET, Dependencies::Without)
}

fn copy_jars(folder: &Path, artifacts: &[Artifact], dependencies: Dependencies) -> anyhow::Result<()> {
    let project = folder.join("pom.xml");
    fs::write(&project, project_text(artifacts, dependencies)).context("writing the Maven project")?;
    let libs = folder.join("libs");
    let _alone = MAVEN.lock().unwrap_or_else(PoisonError::into_inner);
    run(Command::new("mvn")
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(&project)
        .arg(PLUGIN)
        .arg(format!("-DoutputDirectory={}", libs.display())))?;
    for Artifact(_, name, version) in artifacts {
        let jar = libs.join(format!("{name}-{version}.jar"));
        ensure!(jar.is_file(), "Maven reported success, but {} is not there", jar.display());
    }
    Ok(())
}

fn project_text(artifacts: &[Artifact], dependencies: Dependencies) -> String {
    let exclusions = match dependencies {
        Dependencies::With => "",
        Dependencies::Without => {
            "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
        }
    };
    let dependencies: String = artifacts
        .iter()
        .map(|Artifact(group, name, version)| {
            format!(
                "<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId>\
                 <version>{version}</version>{exclusions}</dependency>\n"
            )
        })
        .collect();
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n<modelVersion>4.0.0</modelVersion>\n\
         <groupId>lakeward</groupId><artifactId>test-jars</artifactId><version>1</version>\n\
         <dependencies>\n{dependencies}</dependencies>\n</project>\n"
    )
}
