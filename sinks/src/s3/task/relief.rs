//! Memory of open parts, given back early when they hold more than the budget.

use lakeward_api::ConnectError;

use super::flight::AssignmentId;
use super::open_file::{OpenFile, Started};
use super::{S3SinkTask, Writer};

impl S3SinkTask {
    /// Gives memory back when open parts hold more than the budget: largest first, full pieces only.
    pub(super) fn relieve(&mut self) -> Result<(), ConnectError> {
        if self.open_bytes <= self.open_bytes_max {
            return Ok(());
        }
        let mut files: Vec<(AssignmentId, &mut OpenFile)> = self
            .writers
            .values_mut()
            .flat_map(|writer| {
                let assignment = writer.assignment;
                let files = writer.parts.iter_mut().flat_map(|(_, open)| open.files_mut());
                files.map(move |file| (assignment, file))
            })
            .filter(|(_, file)| file.can_relieve())
            .collect();
        files.sort_by_key(|(_, file)| std::cmp::Reverse(file.buffered_bytes()));
        for (assignment, open) in files {
            if self.open_bytes <= self.open_bytes_max {
                break;
            }
            let before = open.buffered_bytes();
            open.flush_early()?;
            if open.send_relief(&mut self.uploader) == Started::Now {
                let upload = open.upload_id().expect("the upload was just started");
                self.flight.track(upload, assignment);
            }
            self.open_bytes = self.open_bytes - before + open.buffered_bytes();
        }
        self.cut_largest()
    }

    /// Many small files are not helped by pieces. Where files may end at any time anyway, those of the
    /// largest topic-partition end now.
    fn cut_largest(&mut self) -> Result<(), ConnectError> {
        let open_bytes: u64 = self.writers.values().map(Writer::open_bytes).sum();
        if self.layout.is_none() || open_bytes <= self.open_bytes_max {
            return Ok(());
        }
        let free = self.writers.iter().filter(|(_, writer)| !writer.cuts.is_repeating());
        let largest = free.max_by_key(|(_, writer)| writer.open_bytes());
        let Some(partition) = largest.map(|(partition, _)| partition.clone()) else { return Ok(()) };
        let mut ops = std::mem::take(&mut self.ops);
        let writer = self.writers.get_mut(&partition).expect("the key was just read");
        writer.rotation.cut_now(&mut ops);
        self.carry_out(&partition, &mut ops, None)?;
        self.ops = ops;
        Ok(())
    }
}
