//! Files with messages that contain themselves.

use super::file::{Field, File, Kind, Message};
use crate::random::Random;

/// The settings that matter to them, one at a time.
pub(super) const SETTINGS: [&str; 9] = [
    "",
    "",
    "enhanced.protobuf.schema.support",
    "flatten.unions",
    "generalized.sum.type.support",
    "int.for.enums",
    "optional.for.nullables",
    "wrapper.for.nullables",
    "generate.index.for.unions",
];

/// The field of the last message of every file in which it, or a chain of messages, is nested.
pub(super) const CHAIN: u32 = 2;

/// How many files there are.
pub(in crate::generate) const COUNT: usize = 5;

/// A file whose last message is the root.
pub(super) fn file(random: &mut Random) -> File {
    of_number(random.below(COUNT))
}

/// File number `at`.
pub(super) fn of_number(at: usize) -> File {
    let (text, messages) = match at {
        0 => in_itself(),
        1 => in_maps_and_oneofs(),
        2 => in_each_other(),
        3 => beside_known_messages(),
        _ => googles_own(),
    };
    File { text: text.to_owned(), messages, enums: vec![vec![0, 1]] }
}

/// The text of a file and its messages.
type Messages = (&'static str, Vec<Message>);

fn message(at: usize) -> Kind {
    Kind::Message(at)
}

/// Directly and in a list.
fn in_itself() -> Messages {
    (
        "syntax = \"proto3\"; message Node { string name = 1; Node next = 2; \
             repeated Node all = 3; }",
        vec![Message::given(
            0,
            vec![
                Field::given(1, Kind::Scalar("string")),
                Field::given(2, message(0)),
                Field::given_list(3, message(0)),
            ],
        )],
    )
}

/// In a map and in a oneof.
fn in_maps_and_oneofs() -> Messages {
    (
        "syntax = \"proto3\"; package a.b; message Tree { map<string, Tree> by = 1; \
             oneof u { Tree one = 2; int64 n = 3; } bool flag = 4; }",
        vec![Message::given(
            0,
            vec![
                Field::given(1, Kind::Map("string", Box::new(message(0)))),
                Field::given(2, message(0)),
                Field::given(3, Kind::Scalar("int64")),
                Field::given(4, Kind::Scalar("bool")),
            ],
        )],
    )
}

/// In each other, below a message that is in no cycle.
fn in_each_other() -> Messages {
    (
        "syntax = \"proto2\"; message A { required sint32 x = 1; optional B b = 2; repeated B all = 4; } \
             message B { optional bytes s = 1 [default = \"abc\"]; optional A a = 2; map<int32, A> by = 3; } \
             message Root { repeated B many = 1; optional A a = 2; optional B b = 3; }",
        vec![
            Message::given(
                0,
                vec![
                    Field::given_required(1, Kind::Scalar("sint32")),
                    Field::given(2, message(1)),
                    Field::given_list(4, message(1)),
                ],
            ),
            Message::given(
                1,
                vec![
                    Field::given(1, Kind::Scalar("bytes")),
                    Field::given(2, message(0)),
                    Field::given(3, Kind::Map("int32", Box::new(message(0)))),
                ],
            ),
            Message::given(
                2,
                vec![
                    Field::given_list(1, message(1)),
                    Field::given(2, message(0)),
                    Field::given(3, message(1)),
                ],
            ),
        ],
    )
}

/// Beside messages that stand for one value.
fn beside_known_messages() -> Messages {
    (
        "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\"; \
             import \"google/protobuf/wrappers.proto\"; \
             message Item { google.protobuf.Timestamp at = 1; Item next = 2; \
             google.protobuf.Int32Value n = 3; \
             repeated double all = 4; optional int32 o = 5; enum E { Z = 0; Y = 1; } repeated E e = 6; }",
        vec![Message::given(
            0,
            vec![
                Field::given(1, Kind::Known("google.protobuf.Timestamp")),
                Field::given(2, message(0)),
                Field::given(3, Kind::Known("google.protobuf.Int32Value")),
                Field::given_list(4, Kind::Scalar("double")),
                Field::given(5, Kind::Scalar("int32")),
                Field::given_list(6, Kind::Enum(0)),
            ],
        )],
    )
}

/// Google's own.
fn googles_own() -> Messages {
    (
        "syntax = \"proto3\"; import \"google/protobuf/struct.proto\"; \
             message Any { google.protobuf.Struct s = 1; google.protobuf.Value v = 2; \
             google.protobuf.ListValue l = 3; }",
        vec![
            Message::given(0, vec![Field::given(1, Kind::Map("string", Box::new(message(1))))]),
            Message::given(
                1,
                vec![
                    Field::given(1, Kind::Enum(0)),
                    Field::given(2, Kind::Scalar("double")),
                    Field::given(3, Kind::Scalar("string")),
                    Field::given(5, message(0)),
                    Field::given(6, message(2)),
                ],
            ),
            Message::given(2, vec![Field::given_list(1, message(1))]),
            Message::given(
                0,
                vec![Field::given(1, message(0)), Field::given(2, message(1)), Field::given(3, message(2))],
            ),
        ],
    )
}
