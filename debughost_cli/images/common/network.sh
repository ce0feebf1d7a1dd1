# Sourced by the steps that download: trust the certificates that the build was
# given as well as the usual ones. Needs the package ca-certificates.
# shellcheck shell=sh
given=/tmp/debughost-build/ca-bundle.crt
if [ -s "$given" ]; then
    bundle=/tmp/debughost-ca.crt
    cat /etc/ssl/certs/ca-certificates.crt "$given" >"$bundle"
    export NODE_EXTRA_CA_CERTS="$bundle" PIP_CERT="$bundle" SSL_CERT_FILE="$bundle" \
        REQUESTS_CA_BUNDLE="$bundle" CURL_CA_BUNDLE="$bundle" GIT_SSL_CAINFO="$bundle"
fi
