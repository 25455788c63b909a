"""An MCP server of its own process, which `MCPServerStdio` starts."""

try:
    from mcp.server.mcpserver import MCPServer
except ImportError:  # version 1 of the package
    from mcp.server.fastmcp import FastMCP as MCPServer

server = MCPServer("files")


@server.tool()
def read(path: str, limit: int = 10) -> str:
    """Read a file."""
    return f"{limit} lines of {path}"


@server.tool()
def drop(path: str, sure: bool = True) -> str:  # noqa: FBT001, FBT002 - as the server shows it
    """Drop a file."""
    return f"dropped {path}, {sure}"


if __name__ == "__main__":
    server.run()
