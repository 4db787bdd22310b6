//! The table of recursive types, in a process of its own: it only grows.

use std::sync::Arc;

use lakeward_api::recursion::{DEFINITIONS_MAX, Definitions, Recursive};
use lakeward_api::schema::{Field, Kind, Schema};

fn node(key: &str) -> (Recursive, Arc<Schema>) {
    let recursive = Definitions::new(key).reserve().expect("there is room");
    let next = Field { name: "next".into(), schema: Arc::new(recursive.place(true, None)) };
    let schema = Arc::new(Schema::new(Kind::Struct(vec![next])));
    recursive.define(&schema);
    (recursive, schema)
}

#[test]
fn the_table_takes_so_many_types_and_keeps_them() {
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(|| node("at once"))).collect();
    let all: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(all.iter().all(|(recursive, schema)| *recursive == all[0].0 && *schema == all[0].1));

    let mut failed_walk = Definitions::new("fails");
    let first = failed_walk.reserve().unwrap();
    drop(failed_walk);
    let mut again = Definitions::new("fails");
    assert_eq!(again.reserve().unwrap(), first);
    assert_ne!(again.reserve().unwrap(), first);

    (3..DEFINITIONS_MAX).for_each(|at| drop(node(&format!("type {at}"))));
    let refused = Definitions::new("one more").reserve().unwrap_err();
    assert_eq!(refused.java_class(), "org.apache.kafka.connect.errors.DataException");
    assert!(refused.to_string().contains("1024 recursive types"), "{refused}");
    assert_eq!(node("at once").0, all[0].0);
    assert_eq!(all[0].0.resolve(), all[0].1);
}
