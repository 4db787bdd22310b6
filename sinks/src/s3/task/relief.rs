//! Memory of open parts, given back early when they hold more than the budget.

use lakeward_api::ConnectError;

use super::S3SinkTask;
use super::flight::AssignmentId;
use super::open_file::{OpenFile, Started};

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
        Ok(())
    }
}
