# What the official php image lacks.
# shellcheck shell=sh disable=SC2086  # lists of packages are meant to be split

# Extensions: their headers go again, the libraries that they load stay.
libraries='libfreetype-dev libicu-dev libjpeg62-turbo-dev libpng-dev libpq-dev libwebp-dev libzip-dev'
kept=$(apt-mark showmanual)
apt-get install -yq --no-install-recommends $libraries
docker-php-ext-configure gd --with-freetype --with-jpeg --with-webp
docker-php-ext-install -j"$(nproc)" bcmath gd intl mysqli opcache pcntl pdo_mysql pdo_pgsql zip
apt-mark auto '.*' >/dev/null
apt-mark manual $kept >/dev/null
loaded() { find "$(php-config --extension-dir)" -name '*.so' -exec ldd {} +; }
loaded | awk '$2 == "=>" && $3 ~ /^\// { sub("^/usr", "", $3); print "*" $3 }' | sort -u \
    | xargs -r dpkg-query --search 2>/dev/null | cut -d: -f1 | sort -u \
    | xargs -r apt-mark manual >/dev/null
apt-get purge -yq --auto-remove -o APT::AutoRemove::RecommendsImportant=false
if loaded | grep 'not found'; then exit 1; fi

# Composer. See scripts/lock-images.
version=2.10.3
hash=7a2d379d5b8ffdaa028580ef26494c36d2feef4b178d3dd1473a4dbc5e17c8d6
curl -fsSL "https://getcomposer.org/download/$version/composer.phar" -o /usr/local/bin/composer
echo "$hash  /usr/local/bin/composer" | sha256sum --check --quiet
chmod 755 /usr/local/bin/composer
