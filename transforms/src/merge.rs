//! Brings rows that were transformed and rows that were not back into one order.
//!
//! Rows of batches with the same topic, partition and schemas end up in one batch again, so that a predicate
//! that holds for every other row does not leave batches of one row behind. For the same reason schemaless
//! rows that got different shapes are taken apart where they alternate.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::header::{HeaderColumn, HeaderRows, HeaderValues};
use lakeward_api::value::Value;

/// Shorter runs of rows are not worth a batch of their own only because their shape differs.
const RUN_ROWS_MIN: usize = 16;

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
    let mut kinds = kinds(&sources);
    let runs = order.chunk_by(|a, b| kinds[a.source] == kinds[b.source]).count();
    if runs > sources.len() && order.len() < runs * RUN_ROWS_MIN && join_shapes(&mut sources) {
        kinds = self::kinds(&sources);
    }
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

/// The number of the first source that each source is like.
fn kinds(sources: &[SinkBatch]) -> Vec<usize> {
    (0..sources.len())
        .map(|at| (0..at).find(|earlier| is_alike(&sources[*earlier], &sources[at])).unwrap_or(at))
        .collect()
}

fn is_alike(a: &SinkBatch, b: &SinkBatch) -> bool {
    a.topic == b.topic
        && a.partition.partition == b.partition.partition
        && is_same_kind(&a.keys, &b.keys)
        && is_same_kind(&a.values, &b.values)
}

fn is_same_kind(a: &Values, b: &Values) -> bool {
    match (a, b) {
        (Values::Typed { schema: a, .. }, Values::Typed { schema: b, .. }) => Arc::ptr_eq(a, b) || a == b,
        (Values::Dynamic(_), Values::Dynamic(_)) | (Values::Null { .. }, Values::Null { .. }) => true,
        (Values::Shaped(a), Values::Shaped(b)) => a.data_type() == b.data_type(),
        _ => false,
    }
}

/// Takes keys or values apart where schemaless ones have different forms. False when there was nothing to do.
fn join_shapes(sources: &mut [SinkBatch]) -> bool {
    let sides: [fn(&mut SinkBatch) -> &mut Values; 2] =
        [|source| &mut source.keys, |source| &mut source.values];
    let mut joined = false;
    for side in sides {
        let mut all: Vec<&mut Values> = sources.iter_mut().map(side).collect();
        all.retain(|values| matches!(values, Values::Dynamic(_) | Values::Shaped(_)));
        if all.windows(2).any(|two| !is_same_kind(two[0], two[1])) {
            joined = true;
            for values in all {
                values.unshape();
            }
        }
    }
    joined
}

/// One batch of the picked rows. The sources are alike; what they own of these rows moves out of them.
fn gather(sources: &mut [SinkBatch], picks: &[Pick]) -> Result<SinkBatch, ConnectError> {
    let headers = gather_headers(sources, picks)?;
    let first = &sources[picks[0].source];
    let (partition, topic) = (first.partition.clone(), Arc::clone(&first.topic));
    let mut keys: Vec<_> = sources.iter_mut().map(|source| &mut source.keys).collect();
    let keys = gather_values(&mut keys, picks)?;
    let mut values: Vec<_> = sources.iter_mut().map(|source| &mut source.values).collect();
    let values = gather_values(&mut values, picks)?;
    Ok(SinkBatch {
        partition,
        topic,
        offsets: picks.iter().map(|pick| sources[pick.source].offsets[pick.row]).collect(),
        timestamps_ms: picks.iter().map(|pick| sources[pick.source].timestamps_ms[pick.row]).collect(),
        keys,
        values,
        headers,
    })
}

fn gather_values(sources: &mut [&mut Values], picks: &[Pick]) -> Result<Values, ConnectError> {
    let pick = picks[0];
    if let Some(rows) = run_of(picks)
        && !matches!(sources[pick.source], Values::Dynamic(_))
    {
        return Ok(sources[pick.source].slice(pick.row, rows));
    }
    match &*sources[pick.source] {
        Values::Null { .. } => Ok(Values::Null { rows: picks.len() }),
        Values::Dynamic(_) => {
            let take = |pick: &Pick| match &mut *sources[pick.source] {
                Values::Dynamic(values) => std::mem::replace(&mut values[pick.row], Value::Null),
                Values::Null { .. } | Values::Shaped(_) | Values::Typed { .. } => Value::Null,
            };
            Ok(Values::Dynamic(picks.iter().map(take).collect()))
        }
        Values::Shaped(array) => {
            let empty = arrow_array::new_empty_array(array.data_type());
            Ok(Values::Shaped(interleave(sources, picks, &empty)?))
        }
        Values::Typed { schema, .. } => {
            let schema = Arc::clone(schema);
            let empty = arrow_array::new_empty_array(&schema.arrow_type());
            Ok(Values::Typed { schema, array: interleave(sources, picks, &empty)? })
        }
    }
}

/// The picked rows of columns of one type. Sources of another kind keep their place with the `empty` column.
fn interleave(sources: &[&mut Values], picks: &[Pick], empty: &ArrayRef) -> Result<ArrayRef, ConnectError> {
    let column = |source: &&mut Values| match &**source {
        Values::Shaped(array) | Values::Typed { array, .. } if array.data_type() == empty.data_type() => {
            Arc::clone(array)
        }
        _ => Arc::clone(empty),
    };
    let arrays: Vec<_> = sources.iter().map(column).collect();
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    let rows: Vec<_> = picks.iter().map(|pick| (pick.source, pick.row)).collect();
    arrow_select::interleave::interleave(&arrays, &rows)
        .map_err(|err| ConnectError::fatal("rows could not be merged").with_source(err))
}

/// The headers of the picked rows: columns where the names agree.
fn gather_headers(sources: &mut [SinkBatch], picks: &[Pick]) -> Result<HeaderRows, ConnectError> {
    if sources.iter().all(|source| source.headers.is_empty()) {
        return Ok(HeaderRows::default());
    }
    let one = &sources[picks[0].source].headers;
    if one.columns().is_some() && picks.iter().all(|pick| pick.source == picks[0].source) {
        return one.take(&picks.iter().map(|pick| row_number(pick.row)).collect::<Vec<_>>());
    }
    if let Some(columns) = header_columns(sources, picks)? {
        return Ok(HeaderRows::of_columns(columns));
    }
    let take = |pick: &Pick| {
        let rows = sources[pick.source].rows();
        std::mem::take(&mut sources[pick.source].headers.lists_mut(rows)[pick.row])
    };
    Ok(HeaderRows::new(picks.iter().map(take).collect()))
}

/// The headers by column, when all sources have the same names.
fn header_columns(sources: &[SinkBatch], picks: &[Pick]) -> Result<Option<Vec<HeaderColumn>>, ConnectError> {
    let Some(all) = sources.iter().map(|source| source.headers.columns()).collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let names = |columns: &[HeaderColumn]| columns.iter().map(|column| Arc::clone(&column.key)).collect();
    let first: Vec<Arc<str>> = names(all[0]);
    if all.iter().any(|columns| names(columns) != first) {
        return Ok(None);
    }
    let mut merged = Vec::with_capacity(first.len());
    for (at, key) in first.into_iter().enumerate() {
        let parts: Vec<_> = all.iter().map(|columns| &columns[at].values).collect();
        merged.push(HeaderColumn { key, values: gather_header(&parts, picks)? });
    }
    Ok(Some(merged))
}

/// The picked rows of one header.
fn gather_header(sources: &[&HeaderValues], picks: &[Pick]) -> Result<HeaderValues, ConnectError> {
    let of_rows = |source: &&HeaderValues| match source {
        HeaderValues::Rows(values) => Some(values.clone()),
        HeaderValues::Constant { .. } | HeaderValues::Mixed(_) | HeaderValues::Smallest(_) => None,
    };
    if let Some(mut rows) = sources.iter().map(of_rows).collect::<Option<Vec<Values>>>()
        && rows.windows(2).all(|two| is_same_kind(&two[0], &two[1]))
    {
        return Ok(HeaderValues::Rows(gather_values(&mut rows.iter_mut().collect::<Vec<_>>(), picks)?));
    }
    if let HeaderValues::Constant { schema, value } = sources[0] {
        let is_same = |source: &&HeaderValues| match source {
            HeaderValues::Constant { schema: a, value: b } => a == schema && b == value,
            HeaderValues::Mixed(_) | HeaderValues::Rows(_) | HeaderValues::Smallest(_) => false,
        };
        if sources.iter().all(is_same) {
            return Ok(sources[0].clone());
        }
    }
    Ok(HeaderValues::Mixed(picks.iter().map(|pick| sources[pick.source].row(pick.row)).collect()))
}

fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("a batch is bounded far below 2^32 records")
}

/// The length of `picks` when they are neighbours of one source.
fn run_of(picks: &[Pick]) -> Option<usize> {
    let is_run = picks.windows(2).all(|two| two[0].source == two[1].source && two[0].row + 1 == two[1].row);
    is_run.then_some(picks.len())
}
