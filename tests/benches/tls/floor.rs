//! The floor: what it costs to connect, send a hello, and read the answer, and no more.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::fleet::Fleet;

/// Asks the whole fleet with the same octets, and says how many answered with a whole flight.
pub fn ask(fleet: Fleet, hello: &Path, concurrency: u32) {
    let hello: Arc<[u8]> = std::fs::read(hello).unwrap().into();
    // As many threads as the agent has.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let answered = runtime.block_on(async {
        let next = Arc::new(AtomicU32::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..concurrency {
            let (next, hello) = (Arc::clone(&next), Arc::clone(&hello));
            tasks.spawn(async move {
                let mut answered = 0;
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= fleet.count {
                        return answered;
                    }
                    let place = SocketAddr::new(fleet.address(index), fleet.port);
                    if let Ok(true) = once(place, &hello).await {
                        answered += 1;
                    }
                }
            });
        }
        tasks.join_all().await.into_iter().sum::<u32>()
    });
    println!("{answered}");
}

async fn once(place: SocketAddr, hello: &[u8]) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(place).await?;
    stream.write_all(hello).await?;
    let mut heard = Vec::with_capacity(4096);
    while !is_whole(&heard) {
        if stream.read_buf(&mut heard).await? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the records make up a flight: up to ServerHelloDone (RFC 5246, 7.3), or with something
/// encrypted at the end (RFC 8446, 2), which servers send at once.
fn is_whole(heard: &[u8]) -> bool {
    const SERVER_HELLO_DONE: [u8; 4] = [14, 0, 0, 0];
    let (mut rest, mut last) = (heard, None);
    while let [kind, _, _, high, low, more @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((fragment, after)) = more.split_at_checked(length) else { return false };
        last = Some((*kind, fragment));
        rest = after;
    }
    match last {
        Some((22, fragment)) => rest.is_empty() && fragment.ends_with(&SERVER_HELLO_DONE),
        Some((23, _)) => rest.is_empty(),
        _ => false,
    }
}
