"""The daemon as a Twisted service: twistd and imd.tac call `makeService`.

Everything that can be wrong (configuration, data directory, database, certificate, ports) is found while the service
is made: before twistd goes into the background, so that the error reaches the terminal.
"""

import errno
import gc
import pwd
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_network
from types import FrameType
from typing import Any

from OpenSSL import SSL
from twisted.application import strports
from twisted.application.service import IService, MultiService
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.error import CannotListenError, ReactorNotRunning
from twisted.internet.interfaces import IProtocolFactory
from twisted.logger import Logger

from imd.chat import policies
from imd.engine.disk_guard import DiskGuard
from imd.engine.pacing import Pacing
from imd.engine.server import Server
from imd.extras import install
from imd.net.factory import ImdFactory, OperatorFactory
from imd.net.proxy import proxied
from imd.net.tls import ServerTLS
from imd.run import banner, certificates, operator, rlimits
from imd.run.config import Config
from imd.run.directory import DataDirectory
from imd.run.endpoints import tcp_address
from imd.run.errors import OperatorError
from imd.run.health import HealthProbe
from imd.run.notify import Notifier
from imd.run.options import Options
from imd.run.reload import Reloader

__all__ = ["Daemon", "Options", "makeService"]

GOODBYE_SECONDS = 2
"""How long a stop waits for clients to read the goodbye; the kernel still delivers what was sent."""


def makeService(options: Options) -> IService:
    """Make the service that twistd runs. An OperatorError ends the process with one line."""
    from twisted.internet import reactor  # not earlier: twistd chooses which

    reactor.seconds = time.monotonic  # type: ignore[method-assign]  # else timers follow the wall clock
    try:
        daemon = Daemon(options.config(), reactor)
    except OperatorError as error:
        raise error.exit() from None
    if options.parent is not None and (user := options.parent["uid"]) is not None:
        group = options.parent["gid"]
        daemon.directory.chown(user, pwd.getpwuid(user).pw_gid if group is None else group)
    _install_reload_handler(reactor, daemon, options)
    reactor.callWhenRunning(_install_stop_handlers, reactor)
    reactor.callWhenRunning(_freeze_garbage_collector)
    return daemon


def _freeze_garbage_collector() -> None:
    """Exempt the objects of the start from garbage collection: scanning them took 45 ms each time."""
    gc.collect()
    gc.freeze()


def _install_stop_handlers(reactor: Any) -> None:
    """Stop cleanly, with exit code 0, at SIGTERM and SIGINT; twistd would kill itself by the same signal afterwards."""

    def stop(number: int, frame: FrameType | None) -> None:
        reactor.callFromThread(end)

    def end() -> None:
        with suppress(ReactorNotRunning):  # a second signal
            reactor.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _install_reload_handler(reactor: Any, daemon: "Daemon", options: Options) -> None:
    """Reload the configuration at SIGHUP."""

    def reload(number: int, frame: FrameType | None) -> None:
        reactor.callFromThread(daemon.reload, options.config)

    signal.signal(signal.SIGHUP, reload)


class Daemon(MultiService):
    """One server: its data, its rules, its ports and the operator's socket. Making one locks the data directory."""

    log = Logger(namespace="imd.run")

    def __init__(self, config: Config, reactor: Any) -> None:
        """Prepare everything short of opening ports. Raises OperatorError."""
        super().__init__()
        self.config = config
        self.reactor = reactor
        self._inviting: Deferred[None] = defer.succeed(None)
        self.directory = DataDirectory(config.data_dir)
        self.directory.acquire()
        try:
            self._prepare()
        except OperatorError:
            self.directory.release()
            raise

    def _prepare(self) -> None:
        config = self.config
        for listen in config.listen:
            try_port(listen)
        self.tls = self._tls()
        pacing = Pacing(self.reactor)
        self.server = Server(
            database=self.directory.open_database(self.reactor, pacing.deliver),
            reactor=self.reactor,
            pacing=pacing,
            watch=HealthProbe(self.directory, self.tls).probe,
            limits=rlimits.fit(config.limits),
            registration=config.registration,
            language=config.language,
            scratch=self.directory.scratch,
            disk=DiskGuard(self.directory.path, self.reactor.seconds),
        )
        self.server.apply_policy(self.directory.read_now(policies.standing))
        self.factory = ImdFactory(self.server, tls=self.tls, proxies=[ip_network(each) for each in config.proxies])
        self.reloader = Reloader(config, self.directory, self.server, self.tls)
        self.notifier = Notifier(self.reactor)
        for listen in config.listen:
            plain = not listen.startswith("imd:")  # imd: reads the PROXY header itself, before TLS
            self._serve(listen, proxied(self.factory, self.factory) if plain else self.factory)
        if config.metrics is not None:
            self._add_metrics(config.metrics)
        if config.acme:
            self._add_acme(config)

    def _add_acme(self, config: Config) -> None:
        try:
            from imd.run.acme import AcmeClient, Renewal  # an extra that only this key needs
        except ImportError:
            raise OperatorError("acme_extra", command=install("acme")) from None
        client = AcmeClient(config.acme, config.acme_url, self.directory.acme_account)
        Renewal(client, self.directory, self.tls, self.reactor).setServiceParent(self)

    def _add_metrics(self, listen: str) -> None:
        try:
            from imd.run.metrics import MetricsSite, PrometheusMetrics  # an extra that only this key needs
        except ImportError:
            raise OperatorError("metrics_extra", command=install("metrics")) from None
        try_port(listen)
        metrics = PrometheusMetrics(self.server)
        metrics.setServiceParent(self)
        self._serve(listen, MetricsSite(metrics))

    def _serve(self, listen: str, factory: IProtocolFactory) -> None:
        try:
            port = strports.service(listen, factory, reactor=self.reactor)
        except (ValueError, TypeError, LookupError, OSError) as error:
            raise OperatorError("endpoint", listen=listen, reason=error) from None
        port.setServiceParent(self)

    def _tls(self) -> ServerTLS:
        certificate, reason = self.directory.certificate_pair(self.config)[0], ""
        try:
            return self._load_tls()
        except SSL.Error as error:
            reason = error.args[0][0][-1]
        except ValueError as error:
            reason = str(error)
        except OSError as error:
            raise OperatorError("certificate", path=certificate, reason=error) from None
        if certificate != self.directory.acme_certificate:
            raise OperatorError("certificate", path=certificate, reason=reason)
        aside = certificate.replace(
            certificate.with_name(f"{certificate.name}.damaged")
        )  # imd obtained it, and can obtain another
        self.log.warn("{line}", line=banner.say("acme_damaged", path=certificate, reason=reason, aside=aside))
        return self._tls()

    def _load_tls(self) -> ServerTLS:
        certificate, key = certificates.active_pair(self.directory, self.config)
        self.fingerprint = certificates.fingerprint(certificates.load(certificate))
        return ServerTLS([(certificate, key)])

    def privilegedStartService(self) -> None:
        """Open the ports, before twistd gives up root."""
        try:
            super().privilegedStartService()
        except CannotListenError as error:
            at = f"{error.interface or '*'}:{error.port}"
            raise OperatorError("endpoint", listen=at, reason=error.socketError).exit() from None

    def startService(self) -> None:
        """Start serving, and print how to connect."""
        super().startService()
        self.server.jobs.start()
        self.directory.socket.unlink(missing_ok=True)  # left by a killed daemon; the lock proves that none runs
        path = quoteStringArgument(str(self.directory.socket))
        operators = strports.service(
            f"unix:{path}:mode=600:lockfile=0", OperatorFactory(self.server), reactor=self.reactor
        )
        operators.setServiceParent(self)
        self.notifier.setServiceParent(self)
        self.reactor.callWhenRunning(self._announce)

    def _announce(self) -> None:
        for line in banner.lines(self.config, self.server.registration, self.fingerprint):
            self.log.info("{line}", line=line)
        self._inviting = Deferred.fromCoroutine(self._offer_first_invite())
        self._inviting.addErrback(lambda failure: self.log.failure("no invite for the first admin", failure))

    async def _offer_first_invite(self) -> None:
        """If there is no account yet, print an admin's invite, but only on a terminal: other output may be logged."""
        if not await operator.has_no_accounts(self.server):
            return
        if sys.__stdout__ is None or not sys.__stdout__.isatty():
            self.log.info("{line}", line=banner.say("first.elsewhere"))
            return
        self.log.info("{line}", line=banner.say("first"))
        invite = await operator.first_invite(self.server)
        print(banner.say("invite", invite=invite), file=sys.__stdout__, flush=True)

    def reload(self, read: Callable[[], Config]) -> None:
        """Read the configuration again, and apply what can change in a running daemon."""
        self.notifier.reloading()
        try:
            self.reloader.reload(read)
        finally:
            self.notifier.ready()

    def stopService(self) -> "Deferred[None]":
        """Stop listening, finish and answer pending requests, say goodbye, and release everything."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await super().stopService()
        await self._inviting
        await self.server.stop()
        with suppress(defer.TimeoutError):
            await self.factory.goodbye().addTimeout(GOODBYE_SECONDS, self.reactor)
        self.directory.release()
        self.log.info("{line}", line=banner.say("stopped"))


def try_port(listen: str) -> None:
    """Check that the TCP port of an endpoint string is free. Raises OperatorError."""
    try:
        if at := tcp_address(listen):
            at.bind()
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise OperatorError("port_taken", listen=listen) from None
        raise OperatorError("endpoint", listen=listen, reason=error) from None
