//! The memory path: events go to the destination from memory while the disk cannot be written.
//!
//! A batch has one verdict. If the destination took a part of it and refused the rest, the verdict is to split it. The
//! parts are then answered from the dispositions that are known, down to the single event, so nothing is sent twice.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tracklane::event::Message;
use tracklane::plugin::{Answer, Batch, Verdict};
use tracklane::{Analytics, BoxError, DropReason};

use crate::disposition::{Disposition, Dispositions, disposition_of};
use crate::frame;
use crate::running::Running;

/// The time that one flush of events in memory waits.
const FLUSH: Duration = Duration::from_secs(10);
/// The wait before events that neither the disk nor the destination takes are tried again.
const AGAIN: Duration = Duration::from_secs(1);

impl Running {
    /// Resolves when the destination has taken each of the events or refused it for good, or when it is on the disk
    /// after all.
    pub(crate) async fn deliver_from_memory(&self, batch: &Batch) -> Result<Dispositions, BoxError> {
        let mut ended = Dispositions::new();
        loop {
            self.try_once(batch, &mut ended).await?;
            let left = batch.messages().filter(|message| !ended.contains_key(&*message.message_id()));
            let left: Arc<HashSet<String>> = Arc::new(left.map(|message| message.message_id().into_owned()).collect());
            if left.is_empty() {
                return Ok(ended);
            }
            tokio::time::sleep(AGAIN).await;
            if self.write_those(batch, &left).await {
                ended.extend(left.iter().map(|id| (id.clone(), Disposition::Delivered)));
                return Ok(ended);
            }
        }
    }

    /// Returns whether those events of the batch are on the disk, as they are.
    async fn write_those(&self, batch: &Batch, ids: &Arc<HashSet<String>>) -> bool {
        let (batch, ids) = (batch.clone(), ids.clone());
        let written = self.write(move |store| {
            let those = batch.messages().filter(|message| ids.contains(&*message.message_id()));
            let those: Vec<&Message> = those.collect();
            store.write(those.iter().copied())
        });
        written.await.is_ok()
    }

    /// Sends those that have no end yet, and writes down those that have one now.
    async fn try_once(&self, batch: &Batch, ended: &mut Dispositions) -> Result<(), BoxError> {
        let mut sent = Vec::with_capacity(batch.len());
        for message in batch.messages() {
            let id = message.message_id().into_owned();
            if ended.contains_key(&id) {
                continue;
            }
            match self.send(message)? {
                Sent::Receipt(receipt) => sent.push((id, receipt)),
                Sent::Refused => {
                    ended.insert(id, Disposition::Refused);
                }
                Sent::Later => {}
            }
        }
        let receipts = async {
            for (id, receipt) in sent {
                match disposition_of(receipt.await.outcome) {
                    Disposition::Later => {}
                    ending => {
                        ended.insert(id, ending);
                    }
                }
            }
        };
        tokio::select! {
            () = receipts => Ok(()),
            () = keep_flushing(&self.client) => Err("flushing ended".into()),
        }
    }

    fn send(&self, message: &Message) -> Result<Sent, BoxError> {
        let event = match frame::event(message.json()) {
            Ok(event) => event,
            Err(unreadable) => {
                let id = message.message_id();
                let message = format!("the event {id:?} is dropped: it cannot be read: {unreadable}");
                self.store.lose(1, DropReason::Invalid, message);
                return Ok(Sent::Refused);
            }
        };
        match self.client.send_with_receipt(event) {
            Ok(receipt) => Ok(Sent::Receipt(receipt)),
            Err(refused) if refused.is_closed() => Err(refused.into()),
            Err(refused) if refused.is_invalid() => {
                self.store.lose(1, DropReason::Invalid, format!("an event is dropped: {refused}"));
                Ok(Sent::Refused)
            }
            Err(_) => Ok(Sent::Later),
        }
    }
}

enum Sent {
    Receipt(tracklane::Receipt),
    Refused,
    Later,
}

/// Returns the answer to a batch, if each of its events has its outcome. Removes them, unless the batch is to be split.
pub(crate) fn answer(batch: &Batch, ended: &mut Dispositions) -> Option<Answer> {
    let ending = |message: &Message| ended.get(&*message.message_id()).copied();
    let endings: Vec<Disposition> = batch.messages().map(ending).collect::<Option<_>>()?;
    let refused = endings.iter().filter(|ending| matches!(ending, Disposition::Refused)).count();
    if refused > 0 && refused < batch.len() {
        return Some(Verdict::Split.into());
    }
    for message in batch.messages() {
        ended.remove(&*message.message_id());
    }
    Some(match refused {
        0 => Verdict::Delivered.into(),
        _ => Answer::new(Verdict::Reject).with_error("the destination behind the spool has refused them"),
    })
}

/// Events that have been a batch once gain nothing by waiting for another.
async fn keep_flushing(client: &Analytics) {
    loop {
        client.flush(FLUSH).await;
        tokio::time::sleep(AGAIN).await;
    }
}
