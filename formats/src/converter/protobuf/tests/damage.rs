//! Payloads that are broken, hostile, or both.

use super::super::descriptor::Pool;
use super::super::mapping::Mapping;
use super::super::read::Reader;
use super::golden::{case, value};
use crate::random::Random;

fn reader(text: &str) -> Reader {
    let pool = Pool::parse(text, &[]).unwrap();
    Reader::new(&pool, *pool.top.last().unwrap(), Mapping::default(), None).unwrap()
}

#[test]
fn damaged_payloads_fail_without_a_trace_or_are_other_values() {
    let seed = std::env::var("LAKEWARD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut random = Random(seed);
    for line in include_str!("golden.tsv").lines() {
        let case = case(line);
        let mut reader = super::golden::reader(&case).unwrap();
        for payload in &case.payloads {
            let sound = value(&mut reader, payload);
            for _ in 0..40 {
                let mut damaged = payload.clone();
                for _ in 0..=random.below(3) {
                    let at = random.below(damaged.len() + 1);
                    match random.below(4) {
                        0 => damaged.truncate(at),
                        1 => damaged.insert(at, random.next() as u8),
                        2 if at < damaged.len() => damaged[at] = random.next() as u8,
                        _ => damaged.splice(at.., [0xff; 9]).for_each(drop),
                    }
                }
                // Neighbours share a batch with it.
                let _outcome = reader.read(payload);
                let kept = reader.read(&damaged).is_ok();
                let before = usize::from(sound.is_ok()) + usize::from(kept);
                assert_eq!(reader.finish().len(), before, "seed {seed}: a failed row left a trace");
                assert_eq!(value(&mut reader, payload), sound, "seed {seed}: damage outlived its record");
            }
        }
    }
}

#[test]
fn lengths_beyond_the_payload_are_refused() {
    let mut reader = reader(
        "syntax = \"proto3\"; message M { string s = 1; M2 m = 2; repeated int32 n = 3; } \
        message M2 { bytes b = 1; } message R { M m = 1; }",
    );
    for payload in [
        &[10, 0xff, 0xff, 0xff, 0xff, 7][..],
        &[10, 0xff, 0xff, 0xff, 0xff, 15],
        &[10, 2, 10, 5, 1, 2, 3, 4, 5],
        &[10, 3, 26, 2, 0x80],
        &[0, 1],
        &[10, 2, 0x0c, 0],
        &[15, 0],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
    ] {
        assert!(value(&mut reader, payload).is_err(), "{payload:?}");
    }
    assert_eq!(value(&mut reader, &[10, 4, 26, 2, 0, 5]).unwrap(), "((\"\",null,[0i,5i,],),)");
    // The end of a group that never began.
    assert!(value(&mut reader, &[10, 0, 12]).is_err());
    assert!(value(&mut reader, &[12, 10, 0]).is_err());
}

#[test]
fn unknown_groups_are_passed_over_up_to_a_depth() {
    let mut reader = reader("syntax = \"proto3\"; message M { int32 a = 1; }");
    let nested = |depth: usize| [vec![19; depth], vec![20; depth], vec![8, 3]].concat();
    assert_eq!(value(&mut reader, &nested(50)).unwrap(), "(3i,)");
    assert!(value(&mut reader, &nested(100_000)).is_err());
    assert!(value(&mut reader, &[19, 28]).is_err(), "a group ends as another one");
}

#[test]
fn few_bytes_cannot_stand_for_endless_fields() {
    let fields: String = (1..=2000).map(|at| format!("int64 f{at} = {at}; ")).collect();
    let text = format!("syntax = \"proto3\"; message W {{ {fields} }} message R {{ repeated W w = 1; }}");
    let mut reader = reader(&text);
    assert!(value(&mut reader, &[10, 0].repeat(100)).is_ok());
    assert!(value(&mut reader, &[10, 0].repeat(100_000)).is_err());
}

#[test]
fn types_that_are_unknown_or_multiply_are_refused() {
    let refused = |text: &str| {
        let pool = Pool::parse(text, &[]).unwrap();
        Reader::new(&pool, *pool.top.last().unwrap(), Mapping::default(), None).is_err()
    };
    assert!(refused("syntax = \"proto3\"; message M { a.Nowhere m = 1; }"));
    let mut text = String::from("syntax = \"proto3\"; message M0 {} ");
    for at in 1..60 {
        let last = at - 1;
        text += &format!("message M{at} {{ M{last} a = 1; M{last} b = 2; }} ");
    }
    assert!(refused(&text));
}

#[test]
fn embedded_messages_merge_and_the_last_scalar_wins() {
    let mut reader = reader(
        "syntax = \"proto3\"; message I { int32 a = 1; int32 b = 2; repeated int32 c = 3; } \
        message R { I i = 1; oneof o { I x = 2; int32 y = 3; } map<string, int32> m = 4; }",
    );
    let parts: [&[u8]; 8] = [
        &[10, 4, 8, 1, 24, 7],
        &[10, 4, 16, 2, 24, 8],
        &[18, 2, 8, 5],
        &[24, 9],
        &[18, 2, 16, 6],
        &[34, 5, 10, 1, b'k', 16, 1],
        &[34, 5, 10, 1, b'l', 16, 2],
        &[34, 5, 10, 1, b'k', 16, 3],
    ];
    let expected = "(((0i,6i,[],),null,),(1i,2i,[7i,8i,],),{\"k\":3i,\"l\":2i,},)";
    assert_eq!(value(&mut reader, &parts.concat()).unwrap(), expected);
}

#[test]
fn pieces_merge_beside_fields_of_the_same_number_and_another_type() {
    let mut reader = reader(
        "syntax = \"proto2\"; message I { required int32 a = 1; required int32 b = 2; } \
        message R { optional I i = 1; oneof o { I x = 2; int32 y = 3; } }",
    );
    let pieces = [&[8, 5][..], &[10, 2, 8, 1], &[18, 2, 8, 7], &[10, 2, 16, 2]].concat();
    assert!(value(&mut reader, &pieces).is_err(), "x lacks b");
    assert_eq!(value(&mut reader, &[&pieces[..], &[24, 4]].concat()).unwrap(), "((null,4i,),(1i,2i,),)");
    let both = [&pieces[..], &[24, 4], &[18, 2, 16, 9], &[18, 2, 8, 8]].concat();
    assert_eq!(value(&mut reader, &both).unwrap(), "(((8i,9i,),null,),(1i,2i,),)");
}
