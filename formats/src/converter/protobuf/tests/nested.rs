//! Messages that contain themselves.

use std::sync::Arc;

use lakeward_api::rows;
use lakeward_api::schema::{Kind, Schema};

use super::super::descriptor::Pool;
use super::super::mapping::{Mapping, from_connect};
use super::super::read::Reader;
use super::super::write::Writer;
use super::golden::value;

const TREE: &str = "syntax = \"proto3\"; message Node { string name = 1; Node next = 2; \
    repeated Node children = 3; oneof u { Node one = 5; int64 n = 6; } }";

fn reader_of(text: &str, mapping: Mapping) -> Reader {
    let pool = Pool::parse(text, &[]).unwrap();
    Reader::new(&pool, *pool.top.last().unwrap(), mapping, Some(7)).unwrap()
}

fn reader(text: &str) -> Reader {
    reader_of(text, Mapping::default())
}

fn field(schema: &Schema, name: &str) -> Arc<Schema> {
    let field = schema.fields().iter().find(|field| &*field.name == name).unwrap();
    Arc::clone(&field.schema)
}

/// A field of a message.
fn sized(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut length = content.len();
    let mut out = vec![tag];
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    [&out, content].concat()
}

/// `levels` messages inside each other, each in the field of that tag.
fn chain(tag: u8, levels: usize) -> Vec<u8> {
    (0..levels).fold(Vec::new(), |inner, _| sized(tag, &inner))
}

fn named(name: &str) -> Vec<u8> {
    sized(10, name.as_bytes())
}

#[test]
fn a_place_of_recursion_is_the_schema_around_it() {
    let reader = reader(TREE);
    let root = &reader.schema;
    assert!(root.optional, "Java makes what contains itself optional");
    let next = field(root, "next");
    let Kind::Recursive(recursive) = next.kind else { panic!("{next:?}") };
    assert_eq!(recursive.resolve().kind, root.kind);
    assert_eq!((next.optional, next.name.as_deref(), next.version), (true, Some("Node"), Some(7)));
    assert_eq!(next.parameters.get("io.confluent.connect.protobuf.Tag").map(String::as_str), Some("2"));
    let children = field(root, "children");
    let Kind::Array(item) = &children.kind else { panic!("{children:?}") };
    assert!(item.parameters.is_empty() && item.kind == next.kind);
    assert_eq!(field(&field(root, "u_0"), "one").kind, next.kind);
    assert_eq!(self::reader(TREE).schema, *root, "the same type read twice is one schema");
}

#[test]
fn a_later_place_inherits_what_the_first_one_has() {
    let text = "syntax = \"proto3\"; message Node { repeated Node children = 1; } \
        message Root { Node a = 4; repeated Node b = 5; }";
    let root = reader(text).schema;
    assert!(!root.optional);
    let inner = field(&field(&root, "a"), "children");
    let Kind::Array(item) = &inner.kind else { panic!("{inner:?}") };
    assert_eq!(item.parameters.get("io.confluent.connect.protobuf.Tag").map(String::as_str), Some("4"));
    assert_eq!(item.version, None);
}

#[test]
fn values_inside_each_other_are_read() {
    let mut reader = reader(TREE);
    let leaf = |name: &str| format!("(null,\"{name}\",null,[],)");
    let payload = [
        named("a"),
        sized(18, &[named("b"), sized(18, &named("c"))].concat()),
        sized(26, &named("d")),
        sized(26, &[named("e"), sized(42, &named("f"))].concat()),
        vec![48, 9],
    ]
    .concat();
    let expected = format!(
        "((null,9l,),\"a\",(null,\"b\",{},[],),[{},(({},null,),\"e\",null,[],),],)",
        leaf("c"),
        leaf("d"),
        leaf("f")
    );
    assert_eq!(value(&mut reader, &payload).unwrap(), expected);
    assert_eq!(value(&mut reader, &[]).unwrap(), leaf(""));
}

#[test]
fn pieces_of_a_message_that_contains_itself_are_put_together() {
    let mut reader = reader(TREE);
    let whole = sized(18, &[named("a"), sized(18, &[named("b"), vec![48, 1]].concat())].concat());
    let pieces =
        [sized(18, &sized(18, &named("b"))), sized(18, &[named("a"), sized(18, &[48, 1])].concat())].concat();
    assert_eq!(value(&mut reader, &pieces), value(&mut reader, &whole));
    // Of a oneof the last member counts, and starts anew.
    let rivals = [sized(42, &named("a")), vec![48, 1], sized(42, &[48, 2])].concat();
    assert_eq!(value(&mut reader, &rivals), value(&mut reader, &sized(42, &[48, 2])));
}

#[test]
fn numbers_that_a_closed_enum_does_not_have_leave_the_rest_of_their_oneof_alone() {
    let text = "syntax = \"proto2\"; enum E { ONE = 1; } \
        message M { oneof u { string s = 1; E e = 2; } optional int32 n = 3; } \
        message Outer { optional M m = 1; }";
    for flatten_unions in [false, true] {
        let mut reader = reader_of(text, Mapping { flatten_unions, ..Mapping::default() });
        let (a, unknown, known) = (sized(10, b"a"), [16, 17], [16, 1]);
        let plain = value(&mut reader, &sized(10, &a)).unwrap();
        let mut read = |payload: &[u8]| value(&mut reader, payload).unwrap();
        assert_eq!(read(&sized(10, &[&a[..], &unknown].concat())), plain, "{flatten_unions}");
        // A later piece of the message finds all columns filled.
        assert_eq!(read(&[sized(10, &a), sized(10, &unknown)].concat()), plain, "{flatten_unions}");
        assert_ne!(read(&[sized(10, &a), sized(10, &known)].concat()), plain, "{flatten_unions}");
    }
}

#[test]
fn nesting_ends_where_that_of_protobuf_java_ends() {
    let mut reader = reader(TREE);
    for tag in [18, 26, 42] {
        assert!(value(&mut reader, &chain(tag, 100)).is_ok());
        let fault = value(&mut reader, &chain(tag, 101)).unwrap_err();
        assert!(fault.contains("too many levels of nesting"), "{fault}");
        assert!(value(&mut reader, &chain(tag, 20_000)).is_err());
        assert!(value(&mut reader, &chain(tag, 3)).is_ok(), "the next record is not affected");
    }
    // The same below a piece that has to be put together.
    let pieces = [chain(18, 101), chain(18, 20_000)].concat();
    assert!(value(&mut reader, &pieces).is_err());
}

#[test]
fn messages_may_contain_each_other() {
    let mut reader = reader(
        "syntax = \"proto3\"; message B { A a = 1; map<string, A> m = 2; } \
         message A { int32 x = 1; B b = 2; }",
    );
    let entry = [named("k"), sized(18, &[8, 3])].concat();
    let inner = [sized(10, &[8, 2]), sized(18, &entry), sized(18, &entry)].concat();
    let payload = [vec![8, 1], sized(18, &inner)].concat();
    assert_eq!(value(&mut reader, &payload).unwrap(), "(1i,((2i,null,),{\"k\":(3i,null,),},),)");
    // A value that an entry does not have is an empty message.
    let payload = sized(18, &sized(18, &named("k")));
    assert_eq!(value(&mut reader, &payload).unwrap(), "(0i,(null,{\"k\":(0i,null,),},),)");
}

#[test]
fn googles_struct_is_an_ordinary_message() {
    let mut reader = reader(
        "syntax = \"proto3\"; import \"google/protobuf/struct.proto\"; \
        message R { google.protobuf.Struct s = 1; }",
    );
    let list = sized(10, &[vec![32, 1]].concat());
    let member = [named("k"), sized(18, &sized(50, &list))].concat();
    let payload = sized(10, &sized(10, &member));
    let text = value(&mut reader, &payload).unwrap();
    assert!(text.starts_with("(({\"k\":((null,null,null,null,null,([((null,null,null,true,"), "{text}");
}

#[test]
fn structs_for_nulls_do_not_go_on_without_end() {
    let mapping = Mapping { null_structs: true, ..Mapping::default() };
    let mut reader = reader_of("syntax = \"proto3\"; message M { M m = 1; }", mapping);
    let fault = value(&mut reader, &[]).unwrap_err();
    assert!(fault.contains("without end"), "{fault}");
    let mut reader = reader_of("syntax = \"proto3\"; message M { repeated M m = 1; }", mapping);
    assert_eq!(value(&mut reader, &[10, 0]).unwrap(), "([([],),],)");
}

#[test]
fn what_was_read_is_written_again() {
    let mut reader = reader(TREE);
    let payload = [
        named("a"),
        sized(18, &[named("b"), sized(18, &[named("c"), sized(26, &named("x"))].concat())].concat()),
        sized(26, &named("d")),
        sized(26, &[named("e"), sized(42, &named("f"))].concat()),
        sized(42, &[named("g"), vec![48, 9]].concat()),
    ]
    .concat();
    let rows: [&[u8]; 4] = [&payload, &[], &chain(18, 100), &chain(42, 100)];
    for row in rows {
        reader.read(row).unwrap();
    }
    let array = reader.finish();
    let design = from_connect(&reader.schema, Mapping::default()).unwrap();
    assert_eq!(design.text.matches("message Node").count(), 1, "{}", design.text);
    let writer = Writer::new(&design.root, &array).unwrap();
    for (row, payload) in rows.iter().enumerate() {
        let mut out = Vec::new();
        writer.write(row, &mut out).unwrap();
        assert_eq!(out, *payload, "row {row}");
    }
    let schema = Arc::clone(&reader.schema);
    let again = from_connect(&schema, Mapping::default()).unwrap();
    assert_eq!(again.text, design.text);
    assert!(!rows::value_at(&schema, &array, 0).is_null());
}

#[test]
fn cycles_through_other_messages_have_no_file() {
    for text in [
        "syntax = \"proto3\"; message B { A a = 1; } message A { B b = 1; }",
        "syntax = \"proto3\"; message A { map<string, A> m = 1; }",
    ] {
        let Err(fault) = from_connect(&reader(text).schema, Mapping::default()) else { panic!("{text}") };
        assert!(format!("{fault:?}").contains("through another message or a map"), "{fault:?}");
    }
    // A message beside a field of its name gets another name, which closes the cycle.
    let schema = reader("syntax = \"proto3\"; message Node { Node Node = 1; }").schema;
    let design = from_connect(&schema, Mapping::default()).unwrap();
    assert_eq!(design.text.matches("NodeMessage Node = 1").count(), 2, "{}", design.text);
}
