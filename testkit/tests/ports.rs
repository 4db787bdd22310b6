//! Ports that are kept for servers. A process of its own: a process that starts others holds its listeners
//! for a moment longer than it knows, because a child inherits them until it becomes its program.

use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};

use lakeward_testkit::child::RunFolder;

/// A client whose connection gets the port between the look-up and the start made brokers fail to start.
#[test]
fn ports_are_kept_for_servers_and_given_to_no_connection() {
    let folder = RunFolder::new("port-test").unwrap();
    let port = folder.free_port().unwrap();
    for _ in 0..2 {
        let server = TcpListener::bind(("127.0.0.1", port)).unwrap();
        TcpStream::connect(("127.0.0.1", port)).unwrap();
        server.accept().unwrap();
    }
    // As many of the ports that connections take as this process may hold.
    let kept: BTreeSet<u16> = (0..200).map(|_| folder.free_port().unwrap()).collect();
    assert_eq!(kept.len(), 200);
    let server = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = server.local_addr().unwrap();
    assert!(!kept.contains(&address.port()));
    for _ in 0..2_000 {
        let client = TcpStream::connect(address).unwrap();
        assert!(!kept.contains(&client.local_addr().unwrap().port()));
        server.accept().unwrap();
    }
}
