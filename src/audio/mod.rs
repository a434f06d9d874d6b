//! TEMPORARY placeholder until the helper's version lands.
#![allow(missing_docs)]
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use bytes::Bytes;
use tokio::sync::mpsc;
use crate::domain::{OpusPacket, StreamId};
pub trait PacketSource: Send + Sync + 'static {
    fn tap(&self, stream: StreamId) -> impl Future<Output = Option<mpsc::Receiver<OpusPacket>>> + Send;
}
#[derive(Debug, Default)]
pub struct AudioStats { pub listeners: AtomicI64 }
pub struct Mounts<S>(Arc<S>);
impl<S> Clone for Mounts<S> { fn clone(&self) -> Self { Self(self.0.clone()) } }
impl<S: PacketSource> Mounts<S> {
    pub fn new(source: S, _stats: Arc<AudioStats>) -> Self { Self(Arc::new(source)) }
    pub async fn listen(&self, _stream: StreamId) -> Option<Listener> { None }
}
pub struct Listener(PhantomData<()>);
impl Listener { pub async fn next_frames(&mut self) -> Option<Bytes> { None } }
pub struct Silence(());
impl Silence { pub fn new() -> Self { Self(()) } pub async fn next_frames(&mut self) -> Option<Bytes> { None } }
