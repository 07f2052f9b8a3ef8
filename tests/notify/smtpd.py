"""An SMTP server (aiosmtpd) that plays what real ones do. Prints its port, then serves until it is ended.

Mails go into the folder given, a file each: the recipients on the first line, then the mail as it came.
"""

import argparse
import asyncio
import pathlib
import ssl

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self, options):
        self.options = options
        self.seen = set()
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address in self.options.bad:
            return f"550 5.1.1 <{address}>: no such user here"
        if address in self.options.grey and address not in self.seen:
            self.seen.add(address)
            return "450 4.2.0 greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        if self.options.content:
            return self.options.content
        self.count += 1
        file = pathlib.Path(self.options.folder) / f"{self.count:03}"
        file.with_suffix(".part").write_bytes(" ".join(envelope.rcpt_tos).encode() + b"\n" + envelope.original_content)
        file.with_suffix(".part").rename(file.with_suffix(".mail"))
        return "250 2.0.0 kept"


class Server(SMTP):
    cuts = 0

    async def smtp_DATA(self, arg):
        if Server.cuts > 0:
            Server.cuts -= 1
            await self.push("354 go on")
            await self._reader.readline()
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


def allow(options):
    def authenticate(server, session, envelope, mechanism, data):
        right = options.auth.encode().split(b":")
        # As some servers do, the refusal repeats what it was given.
        said = f"535 5.7.8 wrong: {data.login.decode()} with {data.password.decode()}"
        good = [data.login, data.password] == right
        return AuthResult(success=good, handled=good, message=None if good else said)

    return authenticate


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--tls", choices=["none", "starttls", "tls"], default="none")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--auth")
    parser.add_argument("--bad", action="append", default=[])
    parser.add_argument("--grey", action="append", default=[])
    parser.add_argument("--cuts", type=int, default=0)
    parser.add_argument("--content", help="the reply to every mail's content")
    options = parser.parse_args()
    Server.cuts = options.cuts
    context = None
    if options.tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
    handler = Handler(options)

    def serve():
        return Server(
            handler,
            hostname="localhost",
            tls_context=context if options.tls == "starttls" else None,
            require_starttls=options.tls == "starttls",
            authenticator=allow(options) if options.auth else None,
            auth_required=bool(options.auth),
            auth_require_tls=False,
        )

    server = await asyncio.get_running_loop().create_server(
        serve, "127.0.0.1", 0, ssl=context if options.tls == "tls" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
