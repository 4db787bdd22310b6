//! The jars of Apache Kafka and Kafka Connect, resolved by Maven.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use super::Install;
use crate::run::run;

/// The release that behaviour is compared with.
const KAFKA_VERSION: &str = "4.1.0";
/// Kafka 4.1 brings log4j-core of this version, but not the binding of its logging facade.
const LOG4J_VERSION: &str = "2.24.3";
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// `.lakeward/kafka`: the jars under `libs/`.
pub(super) fn install() -> Install {
    Install { folder: "kafka", version: format!("{KAFKA_VERSION} log4j {LOG4J_VERSION}"), install: copy_jars }
}

fn copy_jars(folder: &Path) -> anyhow::Result<()> {
    let project = folder.join("pom.xml");
    fs::write(&project, project_text()).context("writing the Maven project")?;
    let libs = folder.join("libs");
    run(Command::new("mvn")
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(&project)
        .arg(PLUGIN)
        .arg(format!("-DoutputDirectory={}", libs.display())))?;
    let broker = libs.join(format!("kafka_2.13-{KAFKA_VERSION}.jar"));
    ensure!(broker.is_file(), "Maven reported success, but {} is not there", broker.display());
    Ok(())
}

fn project_text() -> String {
    let artifacts = [
        ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION),
        ("org.apache.kafka", "connect-runtime", KAFKA_VERSION),
        ("org.apache.kafka", "connect-file", KAFKA_VERSION),
        ("org.apache.kafka", "connect-json", KAFKA_VERSION),
        ("org.apache.logging.log4j", "log4j-core", LOG4J_VERSION),
        ("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J_VERSION),
    ];
    let dependencies: String = artifacts
        .iter()
        .map(|(group, artifact, version)| {
            format!(
                "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
                 <version>{version}</version></dependency>\n"
            )
        })
        .collect();
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n<modelVersion>4.0.0</modelVersion>\n\
         <groupId>lakeward</groupId><artifactId>test-jars</artifactId><version>1</version>\n\
         <dependencies>\n{dependencies}</dependencies>\n</project>\n"
    )
}
