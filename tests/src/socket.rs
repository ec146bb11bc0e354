//! A browser's end of the WebSocket.

use anyhow::{Context as _, bail};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::world::PATIENCE;

/// An open socket.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens one.
    ///
    /// # Errors
    /// It was refused.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        Ok(Self(tokio_tungstenite::connect_async(url).await?.0))
    }

    /// Opens one and subscribes it to the lists of `user`.
    ///
    /// # Errors
    /// It was refused.
    pub async fn subscribed(url: &str, user: &str) -> anyhow::Result<Self> {
        let mut socket = Self::open(url).await?;
        let answer = socket.ask(&json!({"action": "subscribe_recommendations", "userId": user})).await?;
        anyhow::ensure!(answer == json!({"type": "subscribed", "userId": user}), "{answer}");
        Ok(socket)
    }

    /// Sends a text.
    ///
    /// # Errors
    /// The socket is closed.
    pub async fn send(&mut self, text: impl Into<String>) -> anyhow::Result<()> {
        Ok(self.0.send(Message::text(text.into())).await?)
    }

    /// Sends a message and takes the next one that comes.
    ///
    /// # Errors
    /// None came.
    pub async fn ask(&mut self, message: &Value) -> anyhow::Result<Value> {
        self.send(message.to_string()).await?;
        self.next().await
    }

    /// The next message.
    ///
    /// # Errors
    /// None came in time, or the socket was closed: then with its code and reason.
    pub async fn next(&mut self) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.text().await?)?)
    }

    /// The next message, whatever it says.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn text(&mut self) -> anyhow::Result<String> {
        match tokio::time::timeout(PATIENCE, self.0.next()).await.context("no message in time")? {
            Some(Ok(Message::Text(text))) => Ok(text.to_string()),
            Some(Ok(Message::Close(frame))) => bail!("closed: {frame:?}"),
            other => bail!("{other:?}"),
        }
    }

    /// The next list that `event_id` caused; earlier ones are passed over.
    ///
    /// # Errors
    /// It never came.
    pub async fn list_after(&mut self, event_id: &str) -> anyhow::Result<Value> {
        loop {
            let message = self.next().await?;
            if message["metadata"]["causedBy"] == event_id {
                return Ok(message);
            }
        }
    }

    /// Closes it as a browser does.
    ///
    /// # Errors
    /// It was closed before.
    pub async fn close(mut self) -> anyhow::Result<()> {
        Ok(self.0.close(None).await?)
    }
}
