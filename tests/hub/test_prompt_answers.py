"""Answers leave at once: no small packet waits for an acknowledgement."""

import asyncio
import socket

from exchange.hub.serve import listen


async def test_connections_to_a_hub_have_nagles_algorithm_off() -> None:
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection: socket.socket = writer.get_extra_info("socket")
        accepted.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    bound = listen("127.0.0.1", 0)
    server = await asyncio.start_server(look, sock=bound)
    _, writer = await asyncio.open_connection(*bound.getsockname())
    assert await accepted
    writer.close()
    server.close()
    await server.wait_closed()
