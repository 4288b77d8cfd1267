//! Speaks to the supervisor: who it is, and to have it become another program.

use std::io;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout};

use super::{AWAY, Client, PAUSE};
use crate::channel::Channel;
use crate::error::GatewayError;
use crate::launch::{self, Program};
use crate::supervisor::{Asked, Order, Reply, SupervisorStatus, VERSION};

/// How long it may take to say who it is.
const ABOUT: Duration = Duration::from_secs(5);
/// How long an upgrade may take: more than each of its steps may.
const UPGRADE: Duration = Duration::from_secs(60);
/// How long the supervisor may take to begin as another program.
const BEGIN: Duration = Duration::from_secs(10);

impl Client {
    /// How the supervisor is.
    ///
    /// # Errors
    /// When there is none, or it is too old to say.
    pub async fn supervisor(&self) -> Result<SupervisorStatus, GatewayError> {
        match reply(&self.order(Order::About).await?, ABOUT).await? {
            Some(Reply::About { supervisor }) => Ok(supervisor),
            Some(Reply::Refused { reason }) => Err(GatewayError::Failed { reason }),
            Some(Reply::Version { .. }) => Err(GatewayError::TooOld),
            other => Err(GatewayError::Protocol { reason: format!("the supervisor answered {other:?}") }),
        }
    }

    /// The same, where it is there to say so at once.
    pub(crate) async fn supervisor_now(&self) -> Option<SupervisorStatus> {
        let channel = Channel::new(UnixStream::connect(self.place.control()).await.ok()?);
        channel.send(&Asked { version: VERSION, order: Order::About }, None).await.ok()?;
        match reply(&channel, ABOUT).await {
            Ok(Some(Reply::About { supervisor })) => Some(supervisor),
            _ => None,
        }
    }

    /// Has the supervisor give all that it holds over the connection that is returned, and end.
    pub(crate) async fn take_over(&self) -> Result<std::os::unix::net::UnixStream, GatewayError> {
        let channel = self.order(Order::HandOver).await?;
        channel.into_std().map_err(GatewayError::io("take over"))
    }

    /// Has the gateway go on as another program, with no connection refused or cut; answers who its supervisor is then.
    ///
    /// # Errors
    /// Why it did not. It serves as before then, unless it says something else.
    pub async fn upgrade(&self, program: &Program) -> Result<SupervisorStatus, GatewayError> {
        // One that a worker started would stay confined whatever it became.
        if launch::relieve(self, program, &self.place).await {
            self.await_supervisor().await?;
        }
        let path = std::path::absolute(&program.path).map_err(GatewayError::io("find this program"))?;
        let channel = self.order(Order::Upgrade { path, arguments: program.arguments.clone() }).await?;
        match reply(&channel, UPGRADE).await? {
            Some(Reply::Serving { .. }) => {}
            Some(Reply::Refused { reason }) => return Err(GatewayError::NotUpgraded { reason }),
            Some(Reply::Version { .. }) => return Err(GatewayError::TooOld),
            Some(other) => {
                return Err(GatewayError::Protocol { reason: format!("the supervisor answered {other:?}") });
            }
            None => {
                let reason = "its supervisor ended meanwhile".to_owned();
                return Err(GatewayError::NotUpgraded { reason });
            }
        }
        // The connection ends when it becomes the other program; that one answers over a socket of its own.
        if let Ok(Some(Reply::Half { reason })) = reply(&channel, UPGRADE).await {
            return Err(GatewayError::HalfUpgraded { reason });
        }
        self.await_supervisor().await
    }

    /// Waits until a supervisor has begun.
    async fn await_supervisor(&self) -> Result<SupervisorStatus, GatewayError> {
        let until = Instant::now() + BEGIN;
        loop {
            match self.supervisor().await {
                Ok(supervisor) if !supervisor.stands_in => return Ok(supervisor),
                Ok(supervisor) if Instant::now() >= until => return Ok(supervisor),
                Err(error) if Instant::now() >= until => return Err(error),
                _ => sleep(PAUSE).await,
            }
        }
    }

    /// Says something to the supervisor; while there is none to hear it, tries for a while.
    async fn order(&self, order: Order) -> Result<Channel, GatewayError> {
        let until = Instant::now() + AWAY;
        loop {
            let error = match UnixStream::connect(self.place.control()).await {
                Ok(stream) => {
                    let channel = Channel::new(stream);
                    let asked = Asked { version: VERSION, order: order.clone() };
                    channel.send(&asked, None).await.map_err(GatewayError::io("ask the supervisor"))?;
                    return Ok(channel);
                }
                Err(error) => error,
            };
            match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                    if !self.is_held() {
                        return Err(self.not_running());
                    }
                    if Instant::now() >= until {
                        return Err(GatewayError::TooOld);
                    }
                }
                _ => return Err(GatewayError::io("reach the supervisor")(error)),
            }
            sleep(PAUSE).await;
        }
    }
}

/// The next answer; nothing when the other side ended without one.
async fn reply(channel: &Channel, limit: Duration) -> Result<Option<Reply>, GatewayError> {
    let late = |_| GatewayError::Timeout { asked: "the supervisor", after: limit };
    match timeout(limit, channel.receive::<Reply>()).await.map_err(late)? {
        Ok(received) => Ok(received.map(|(reply, _)| reply)),
        Err(error) if super::is_cut_off(&error) => Ok(None),
        Err(error) => Err(GatewayError::Protocol { reason: error.to_string() }),
    }
}
