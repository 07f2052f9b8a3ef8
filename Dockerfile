# vigie with its model, as an unprivileged user. The state is in /state: mount a volume there.
#
#   docker build -t vigie .
#   docker run -e VIGIE_X_TOKEN -v vigie:/state -p 127.0.0.1:9469:9469 vigie
#
# Without HEALTHCHECK and shell: platforms probe /-/healthy and /-/ready.
FROM rust:1.95-alpine AS build
# hadolint ignore=DL3018
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY benches benches
COPY config config
COPY crates crates
COPY src src
RUN cargo build --locked --release && mkdir /empty

FROM scratch
COPY --from=build /src/target/release/vigie /usr/bin/vigie
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=65532:65532 --chmod=700 /empty /state
COPY --from=build --chmod=1777 /empty /tmp
COPY models/default /usr/share/vigie/models/default
COPY tests/data/airline.csv tests/data/LICENSE-airline /usr/share/vigie/
COPY systemd/deb/vigie.toml config/rules.toml /etc/vigie/
# A container must listen on all interfaces. Pages are closed until there is a user; put a proxy with TLS in front.
ENV VIGIE__WEB__LISTEN=0.0.0.0:9469 \
    VIGIE__DAEMON__STATE=/state \
    VIGIE__LOG__FORMAT=json
USER 65532:65532
EXPOSE 9469
VOLUME /state
ENTRYPOINT ["/usr/bin/vigie"]
CMD ["run", "--config", "/etc/vigie/vigie.toml"]
