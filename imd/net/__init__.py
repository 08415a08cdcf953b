"""The transport: protocol and factory, faces, flow control, TLS and endpoints. It holds no rules of the chat."""
