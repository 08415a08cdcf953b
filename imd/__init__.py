"""imd: an instant-messaging daemon on Twisted.

Every message that was answered "success" is kept, once and in order. docs/architecture.md walks through the floors.
"""

__version__ = "0.1.0"
