//! Take-over of source connectors both ways: Java Connect and our worker go on from each other's offsets.

use lakeward_testkit::java::JavaConnect;

use crate::source_rig::{SourceRig, wait_until_running};

#[test]
fn java_goes_on_from_our_offsets_and_we_from_javas() {
    let mut rig = SourceRig::start(&[]);
    rig.create(&[]);
    rig.append(250);
    assert_eq!(rig.wait_for_last(), rig.written());
    assert_eq!(rig.worker.terminate().unwrap().code(), Some(0));
    rig.wait_for_offset();

    let mut java = JavaConnect::start(&rig.properties).unwrap();
    wait_until_running(&java.rest, &rig.connector);
    rig.append(250);
    let expected = rig.written();
    lakeward_testkit::wait::wait_for("Java's lines", crate::source_rig::PATIENCE, || {
        let ids = rig.ids();
        if ids == expected { Ok(()) } else { Err(ids.len()) }
    });
    java.stop().unwrap();
    rig.wait_for_offset();

    rig.worker.restart().unwrap();
    rig.worker.wait_for_state(&rig.connector, "RUNNING", 1);
    rig.append(250);
    assert_eq!(rig.wait_for_last(), rig.written());
}
