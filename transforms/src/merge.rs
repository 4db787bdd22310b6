//! Brings rows that were transformed and rows that were not back into one order.
//!
//! Rows of batches with the same topic and schemas end up in one batch again, so that a predicate that holds
//! for every other row does not leave batches of one row behind.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
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
        (Values::Shaped(a), Values::Shaped(b)) => a.data_type() == b.data_type(),
        _ => false,
    }
}

/// One batch of the picked rows. The sources are alike; what they own of these rows moves out of them.
fn gather(sources: &mut [SinkBatch], picks: &[Pick]) -> Result<SinkBatch, ConnectError> {
    let headers = if sources.iter().all(|source| source.headers.is_empty()) {
        HeaderRows::default()
    } else if let ([source], Some(_)) = (&*sources, sources[0].headers.columns()) {
        source.headers.take(&picks.iter().map(|pick| row_number(pick.row)).collect::<Vec<_>>())?
    } else {
        let take = |pick: &Pick| {
            let rows = sources[pick.source].rows();
            std::mem::take(&mut sources[pick.source].headers.lists_mut(rows)[pick.row])
        };
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
                Values::Null { .. } | Values::Shaped(_) | Values::Typed { .. } => Value::Null,
            };
            Ok(Values::Dynamic(picks.iter().map(take).collect()))
        }
        Values::Shaped(array) => {
            let empty = arrow_array::new_empty_array(array.data_type());
            Ok(Values::Shaped(interleave(sources, picks, side, &empty)?))
        }
        Values::Typed { schema, .. } => {
            let schema = Arc::clone(schema);
            let empty = arrow_array::new_empty_array(&schema.arrow_type());
            Ok(Values::Typed { schema, array: interleave(sources, picks, side, &empty)? })
        }
    }
}

/// The picked rows of columns of one type. Sources of another kind keep their place with the `empty` column.
fn interleave(
    sources: &mut [SinkBatch],
    picks: &[Pick],
    side: fn(&mut SinkBatch) -> &mut Values,
    empty: &ArrayRef,
) -> Result<ArrayRef, ConnectError> {
    let column = |source: &mut SinkBatch| match side(source) {
        Values::Shaped(array) | Values::Typed { array, .. } if array.data_type() == empty.data_type() => {
            Arc::clone(array)
        }
        _ => Arc::clone(empty),
    };
    let arrays: Vec<_> = sources.iter_mut().map(column).collect();
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    let rows: Vec<_> = picks.iter().map(|pick| (pick.source, pick.row)).collect();
    arrow_select::interleave::interleave(&arrays, &rows)
        .map_err(|err| ConnectError::fatal("rows could not be merged").with_source(err))
}

fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("a batch is bounded far below 2^32 records")
}

/// The length of `picks` when they are neighbours of one source.
fn run_of(picks: &[Pick]) -> Option<usize> {
    let is_run = picks.windows(2).all(|two| two[0].source == two[1].source && two[0].row + 1 == two[1].row);
    is_run.then_some(picks.len())
}
