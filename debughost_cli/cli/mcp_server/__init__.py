"""The MCP server: the commands as tools, and where clients keep it."""
