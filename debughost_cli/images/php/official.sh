# What the official php image lacks.
# shellcheck shell=sh disable=SC2086  # lists of packages are meant to be split

# Extensions: their headers go again, the libraries that they load stay.
libraries='libfreetype-dev libicu-dev libjpeg62-turbo-dev libpng-dev libpq-dev libwebp-dev libzip-dev'
kept=$(apt-mark showmanual)
apt-get install -yq --no-install-recommends $libraries
docker-php-ext-configure gd --with-freetype --with-jpeg --with-webp
docker-php-ext-install -j"$(nproc)" bcmath gd intl opcache pcntl pdo_mysql pdo_pgsql zip
apt-mark auto '.*' >/dev/null
apt-mark manual $kept >/dev/null
loaded() { find "$(php-config --extension-dir)" -name '*.so' -exec ldd {} +; }
loaded | awk '$2 == "=>" && $3 ~ /^\// { sub("^/usr", "", $3); print "*" $3 }' | sort -u \
    | xargs -r dpkg-query --search 2>/dev/null | cut -d: -f1 | sort -u \
    | xargs -r apt-mark manual >/dev/null
apt-get purge -yq --auto-remove -o APT::AutoRemove::RecommendsImportant=false
if loaded | grep 'not found'; then exit 1; fi

# Composer, by its installer, whose signature is published on another host.
curl -fsSL https://getcomposer.org/installer -o /tmp/debughost-composer.php
wanted=$(curl -fsSL https://composer.github.io/installer.sig)
echo "$wanted  /tmp/debughost-composer.php" | sha384sum --check --quiet
php /tmp/debughost-composer.php --2 --quiet --install-dir=/usr/local/bin --filename=composer
