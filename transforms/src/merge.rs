//! Brings rows that were transformed and rows that were not back into one order.
//!
//! Rows of batches with the same topic and schemas end up in one batch again, so that a predicate that holds
//! for every other row does not leave batches of one row behind.

use std::sync::Arc;

use arrow_array::Array;
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::header::HeaderRows;
use lakeward_api::value::Value;

/// Appends the rows of `left` and of `others` to `next` in the order of their offsets.
pub(crate) fn in_order(
    left: SinkBatch,
    others: Vec<SinkBatch>,
    next: &mut Vec<SinkBatch>,
) -> Result<(), ConnectError> {
    let mut sources = vec![left];
    sources.extend(others);
    if sources.len() == 1 {
        next.append(&mut sources);
        return Ok(());
    }
    let order = order(&sources);
    let kinds: Vec<usize> = (0..sources.len())
        .map(|at| (0..at).find(|earlier| is_alike(&sources[*earlier], &sources[at])).unwrap_or(at))
        .collect();
    for group in order.chunk_by(|a, b| kinds[a.source] == kinds[b.source]) {
        next.push(gather(&mut sources, group)?);
    }
    Ok(())
}

/// The given rows of `batch`. What it owns of them moves out: ask for every row at most once.
pub(crate) fn move_rows(batch: &mut SinkBatch, rows: &[u32]) -> Result<SinkBatch, ConnectError> {
    let picks: Vec<_> = rows.iter().map(|row| Pick { source: 0, row: *row as usize }).collect();
    gather(std::slice::from_mut(batch), &picks)
}

#[derive(Clone, Copy)]
struct Pick {
    source: usize,
    row: usize,
}

/// Every row: those of the first source merged by offset with those of the others.
fn order(sources: &[SinkBatch]) -> Vec<Pick> {
    let mut first = (0..sources[0].rows()).map(|row| Pick { source: 0, row }).peekable();
    let mut order = Vec::new();
    for (source, batch) in sources.iter().enumerate().skip(1) {
        for row in 0..batch.rows() {
            let is_before = |pick: &Pick| sources[0].offsets[pick.row] < batch.offsets[row];
            while let Some(pick) = first.next_if(is_before) {
                order.push(pick);
            }
            order.push(Pick { source, row });
        }
    }
    order.extend(first);
    order
}

fn is_alike(a: &SinkBatch, b: &SinkBatch) -> bool {
    a.topic == b.topic && is_same_kind(&a.keys, &b.keys) && is_same_kind(&a.values, &b.values)
}

fn is_same_kind(a: &Values, b: &Values) -> bool {
    match (a, b) {
        (Values::Typed { schema: a, .. }, Values::Typed { schema: b, .. }) => Arc::ptr_eq(a, b) || a == b,
        (Values::Dynamic(_), Values::Dynamic(_)) | (Values::Null { .. }, Values::Null { .. }) => true,
        _ => false,
    }
}

/// One batch of the picked rows. The sources are alike; what they own of these rows moves out of them.
fn gather(sources: &mut [SinkBatch], picks: &[Pick]) -> Result<SinkBatch, ConnectError> {
    let headers = if sources.iter().all(|source| source.headers.is_empty()) {
        HeaderRows::default()
    } else {
        let take = |pick: &Pick| {
            let source = &mut sources[pick.source];
            let rows = source.rows();
            match source.headers.is_empty() {
                true => Vec::new(),
                false => std::mem::take(&mut source.headers.rows_mut(rows)[pick.row]),
            }
        };
        // A source whose lists were all taken is not empty yet: `is_empty` looks at the lists' existence.
        HeaderRows::new(picks.iter().map(take).collect())
    };
    let first = &sources[picks[0].source];
    let (partition, topic) = (first.partition.clone(), Arc::clone(&first.topic));
    Ok(SinkBatch {
        partition,
        topic,
        offsets: picks.iter().map(|pick| sources[pick.source].offsets[pick.row]).collect(),
        timestamps_ms: picks.iter().map(|pick| sources[pick.source].timestamps_ms[pick.row]).collect(),
        keys: gather_values(sources, picks, |source| &mut source.keys)?,
        values: gather_values(sources, picks, |source| &mut source.values)?,
        headers,
    })
}

fn gather_values(
    sources: &mut [SinkBatch],
    picks: &[Pick],
    side: fn(&mut SinkBatch) -> &mut Values,
) -> Result<Values, ConnectError> {
    let pick = picks[0];
    if let Some(rows) = run_of(picks) {
        let source = side(&mut sources[pick.source]);
        if !matches!(source, Values::Dynamic(_)) {
            return Ok(source.slice(pick.row, rows));
        }
    }
    match side(&mut sources[pick.source]) {
        Values::Null { .. } => Ok(Values::Null { rows: picks.len() }),
        Values::Dynamic(_) => {
            let take = |pick: &Pick| match side(&mut sources[pick.source]) {
                Values::Dynamic(values) => std::mem::replace(&mut values[pick.row], Value::Null),
                Values::Null { .. } | Values::Typed { .. } => Value::Null,
            };
            Ok(Values::Dynamic(picks.iter().map(take).collect()))
        }
        Values::Typed { schema, .. } => {
            let schema = Arc::clone(schema);
            // Sources of another kind keep their place with an empty array: `interleave` wants one type.
            let empty = arrow_array::new_empty_array(&schema.arrow_type());
            let arrays: Vec<_> = (0..sources.len())
                .map(|source| match side(&mut sources[source]) {
                    Values::Typed { array, .. } if array.data_type() == empty.data_type() => {
                        Arc::clone(array)
                    }
                    _ => Arc::clone(&empty),
                })
                .collect();
            let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
            let rows: Vec<_> = picks.iter().map(|pick| (pick.source, pick.row)).collect();
            let array = arrow_select::interleave::interleave(&arrays, &rows)
                .map_err(|err| ConnectError::fatal("rows could not be merged").with_source(err))?;
            Ok(Values::Typed { schema, array })
        }
    }
}

/// The length of `picks` when they are neighbours of one source.
fn run_of(picks: &[Pick]) -> Option<usize> {
    let is_run = picks.windows(2).all(|two| two[0].source == two[1].source && two[0].row + 1 == two[1].row);
    is_run.then_some(picks.len())
}
