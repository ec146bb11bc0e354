//! Wire types of Freshet's topics, HTTP and WebSocket, with their validation. No I/O.
