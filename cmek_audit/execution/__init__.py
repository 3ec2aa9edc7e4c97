"""An audit in shards: judged by several processes, or one after the other, and put together."""
