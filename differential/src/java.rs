//! The Java side: compiles the program in java/ once, starts it, and exchanges frames with it.

use std::fs;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, ensure};

use crate::case::{Answer, Case};
use crate::wire::{Reader, Writer};

/// The program, by file name.
const SOURCES: [(&str, &str); 26] = [
    ("Case.java", include_str!("../java/Case.java")),
    ("Chain.java", include_str!("../java/Chain.java")),
    ("Harness.java", include_str!("../java/Harness.java")),
    ("RecursiveSchema.java", include_str!("../java/RecursiveSchema.java")),
    ("Unfolded.java", include_str!("../java/Unfolded.java")),
    ("WireReader.java", include_str!("../java/WireReader.java")),
    ("WireWriter.java", include_str!("../java/WireWriter.java")),
    ("AvroFormat.java", include_str!("../java/registry/AvroFormat.java")),
    ("ConnectDraft.java", include_str!("../java/registry/ConnectDraft.java")),
    ("JsonSchemaDocument.java", include_str!("../java/registry/JsonSchemaDocument.java")),
    ("JsonSchemaFormat.java", include_str!("../java/registry/JsonSchemaFormat.java")),
    ("JsonSchemaReader.java", include_str!("../java/registry/JsonSchemaReader.java")),
    ("JsonSchemaSettings.java", include_str!("../java/registry/JsonSchemaSettings.java")),
    ("JsonSchemaToConnect.java", include_str!("../java/registry/JsonSchemaToConnect.java")),
    ("JsonSchemaWriter.java", include_str!("../java/registry/JsonSchemaWriter.java")),
    ("ProtoFile.java", include_str!("../java/registry/ProtoFile.java")),
    ("ProtobufFile.java", include_str!("../java/registry/ProtobufFile.java")),
    ("ProtobufFormat.java", include_str!("../java/registry/ProtobufFormat.java")),
    ("ProtobufMessages.java", include_str!("../java/registry/ProtobufMessages.java")),
    ("ProtobufNames.java", include_str!("../java/registry/ProtobufNames.java")),
    ("ProtobufPlace.java", include_str!("../java/registry/ProtobufPlace.java")),
    ("ProtobufSettings.java", include_str!("../java/registry/ProtobufSettings.java")),
    ("ProtobufText.java", include_str!("../java/registry/ProtobufText.java")),
    ("ProtobufToConnect.java", include_str!("../java/registry/ProtobufToConnect.java")),
    ("ProtobufValues.java", include_str!("../java/registry/ProtobufValues.java")),
    ("RegistryConverter.java", include_str!("../java/registry/RegistryConverter.java")),
];

/// Operations of a request.
const RUN: u8 = 0;
const TIME: u8 = 1;

/// What the process is started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Answers: starts fast.
    Answers,
    /// Figures of Kafka's own classes: all compiler tiers, no other jars.
    Figures,
    /// Figures of converters that ask a registry: with the jars they need, and without the checks that
    /// answers have beyond those converters.
    FiguresOfRegistry,
}

/// A running Java process. It ends when this is dropped.
pub struct Java {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// What a timed run measured.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Items done.
    pub items: i64,
    /// CPU time of the thread that did them, in ns.
    pub thread_ns: i64,
    /// CPU time of the whole process meanwhile, in ns: with garbage collection and compilers.
    pub process_ns: i64,
}

impl Java {
    /// Compiles the program if that is due, and starts it.
    pub fn start(purpose: Purpose) -> anyhow::Result<Self> {
        let base = installs()?;
        let mut class_path = format!("{}:{}", classes(&base)?.display(), base.join("kafka/libs/*").display());
        if purpose != Purpose::Figures {
            class_path = format!("{class_path}:{}", base.join("registry/libs/*").display());
        }
        let mut command = Command::new("java");
        command.args(["-Xms64m", "-Xmx1g", "-XX:+UseSerialGC", "-XX:-OmitStackTraceInFastThrow"]);
        if purpose == Purpose::Answers {
            command.arg("-XX:TieredStopAtLevel=1");
        }
        if purpose == Purpose::FiguresOfRegistry {
            command.arg("-Dlakeward.figures=true");
        }
        // What texts and dates look like must not depend on the machine.
        command.args(["-Duser.timezone=UTC", "-Duser.language=en", "-Duser.country=US"]);
        command.args(["-Dfile.encoding=UTF-8", "-Dorg.apache.logging.log4j.level=OFF", "-cp", &class_path]);
        let mut child = command
            .arg("Harness")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting java: is it installed? `cargo xtask setup` does it")?;
        let input = BufWriter::new(child.stdin.take().context("java has no standard input")?);
        let output = BufReader::new(child.stdout.take().context("java has no standard output")?);
        Ok(Self { child, input, output })
    }

    /// Sends cases; [`Java::receive`] must follow before the next call.
    pub fn send(&mut self, cases: &[Case]) -> anyhow::Result<()> {
        let mut request = Writer::default();
        request.u8(RUN);
        request.i32(i32::try_from(cases.len()).context("too many cases")?);
        cases.iter().for_each(|case| request.case(case));
        self.write(&request.into_bytes())
    }

    /// The answers to `cases`, which were sent before.
    pub fn receive(&mut self, cases: &[Case]) -> anyhow::Result<Vec<Vec<Answer>>> {
        let frame = self.read()?;
        let mut reader = Reader::new(&frame);
        let answers = cases.iter().map(|case| reader.answers(case.items.len())).collect();
        reader.finish()?;
        answers
    }

    /// Repeats the items of `case` for `duration_ms` of CPU time after `warm_up_ms`.
    pub fn time(&mut self, case: &Case, warm_up_ms: i32, duration_ms: i32) -> anyhow::Result<Timing> {
        let mut request = Writer::default();
        request.u8(TIME);
        request.i32(warm_up_ms);
        request.i32(duration_ms);
        request.case(case);
        self.write(&request.into_bytes())?;
        let frame = self.read()?;
        let mut reader = Reader::new(&frame);
        Ok(Timing { items: reader.i64()?, thread_ns: reader.i64()?, process_ns: reader.i64()? })
    }

    fn write(&mut self, frame: &[u8]) -> anyhow::Result<()> {
        let length = i32::try_from(frame.len()).context("a frame is too long")?;
        self.input.write_all(&length.to_be_bytes()).context("writing to java")?;
        self.input.write_all(frame).context("writing to java")?;
        self.input.flush().context("writing to java")
    }

    fn read(&mut self) -> anyhow::Result<Vec<u8>> {
        let mut length = [0; 4];
        self.output.read_exact(&mut length).context("java ended: its standard error says why")?;
        let length = usize::try_from(i32::from_be_bytes(length)).context("a negative length")?;
        let mut frame = vec![0; length];
        self.output.read_exact(&mut frame).context("reading from java")?;
        Ok(frame)
    }
}

impl Drop for Java {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing else to do about a failure here.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The install folder of the workspace, with the jars in it.
fn installs() -> anyhow::Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .context("CARGO_MANIFEST_DIR is not set: start this through cargo")?;
    let mut folder = PathBuf::from(package);
    while !folder.join("Cargo.lock").is_file() {
        ensure!(folder.pop(), "no Cargo.lock above this package");
    }
    let base = folder.join(".lakeward");
    for folder in ["kafka", "registry"] {
        let libs = base.join(folder).join("libs");
        ensure!(libs.is_dir(), "{} is not there: run `cargo xtask setup`", libs.display());
    }
    Ok(base)
}

/// The folder of the compiled program: its name is a digest of the sources and of the releases of the jars.
fn classes(base: &Path) -> anyhow::Result<PathBuf> {
    let release = |stamp: &str| fs::read_to_string(base.join(stamp)).unwrap_or_default();
    let releases = [release("kafka.stamp"), release("registry.stamp")];
    let texts = SOURCES.iter().flat_map(|(name, text)| [*name, *text]);
    let texts = texts.chain(releases.iter().map(String::as_str));
    let digest = texts.flat_map(str::bytes).fold(0xcbf2_9ce4_8422_2325u64, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let folder = base.join("differential").join(format!("{digest:016x}"));
    if folder.is_dir() {
        return Ok(folder);
    }
    // Compiled beside and moved there: another process may be doing the same.
    let draft = base.join("differential").join(format!("{digest:016x}.{}", std::process::id()));
    fs::create_dir_all(&draft).with_context(|| format!("creating {}", draft.display()))?;
    let mut compile = Command::new("javac");
    compile
        .args(["--release", "17", "-Xlint:all,-path", "-Werror", "-cp"])
        .arg(format!("{}:{}", base.join("kafka/libs/*").display(), base.join("registry/libs/*").display()))
        .arg("-d")
        .arg(&draft);
    for (name, text) in SOURCES {
        let file = draft.join(name);
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        compile.arg(file);
    }
    let output = compile.output().context("starting javac: run `cargo xtask setup` to install it")?;
    ensure!(output.status.success(), "javac: {}", String::from_utf8_lossy(&output.stderr).trim());
    if fs::rename(&draft, &folder).is_err() {
        ensure!(folder.is_dir(), "{} could not be put in place", folder.display());
        fs::remove_dir_all(&draft).context("removing a second copy")?;
    }
    Ok(folder)
}
