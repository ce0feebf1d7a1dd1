<?php

/**
 * Packs the PHP libraries that Debian has installed under /usr/share/php into
 * zip files that Composer can install from (a repository of type "artifact").
 *
 *     php composer-packages.php FOLDER
 */

const SOURCES = '/usr/share/php';

// Composer's name => [folder, namespace, what it requires]; Debian's package
// is php-VENDOR-NAME, and its version is the library's.
const PACKAGES = [
    'psr/cache' => ['Psr/Cache', 'Psr\\Cache\\', []],
    'psr/container' => ['Psr/Container', 'Psr\\Container\\', []],
    'psr/event-dispatcher' => ['Psr/EventDispatcher', 'Psr\\EventDispatcher\\', []],
    'psr/log' => ['Psr/Log', 'Psr\\Log\\', []],
    'symfony/cache' => ['Symfony/Component/Cache', 'Symfony\\Component\\Cache\\', ['psr/cache', 'psr/log', 'symfony/cache-contracts', 'symfony/service-contracts', 'symfony/var-exporter']],
    'symfony/cache-contracts' => ['Symfony/Contracts/Cache', 'Symfony\\Contracts\\Cache\\', ['psr/cache']],
    'symfony/config' => ['Symfony/Component/Config', 'Symfony\\Component\\Config\\', ['symfony/deprecation-contracts', 'symfony/filesystem']],
    'symfony/dependency-injection' => ['Symfony/Component/DependencyInjection', 'Symfony\\Component\\DependencyInjection\\', ['psr/container', 'symfony/deprecation-contracts', 'symfony/service-contracts', 'symfony/var-exporter']],
    'symfony/deprecation-contracts' => ['Symfony/Contracts/Deprecation', null, []],
    'symfony/error-handler' => ['Symfony/Component/ErrorHandler', 'Symfony\\Component\\ErrorHandler\\', ['psr/log', 'symfony/var-dumper']],
    'symfony/event-dispatcher' => ['Symfony/Component/EventDispatcher', 'Symfony\\Component\\EventDispatcher\\', ['symfony/event-dispatcher-contracts']],
    'symfony/event-dispatcher-contracts' => ['Symfony/Contracts/EventDispatcher', 'Symfony\\Contracts\\EventDispatcher\\', ['psr/event-dispatcher']],
    'symfony/filesystem' => ['Symfony/Component/Filesystem', 'Symfony\\Component\\Filesystem\\', []],
    'symfony/finder' => ['Symfony/Component/Finder', 'Symfony\\Component\\Finder\\', []],
    'symfony/framework-bundle' => ['Symfony/Bundle/FrameworkBundle', 'Symfony\\Bundle\\FrameworkBundle\\', ['symfony/cache', 'symfony/config', 'symfony/dependency-injection', 'symfony/deprecation-contracts', 'symfony/error-handler', 'symfony/event-dispatcher', 'symfony/filesystem', 'symfony/finder', 'symfony/http-foundation', 'symfony/http-kernel', 'symfony/routing']],
    'symfony/http-foundation' => ['Symfony/Component/HttpFoundation', 'Symfony\\Component\\HttpFoundation\\', ['symfony/deprecation-contracts']],
    'symfony/http-kernel' => ['Symfony/Component/HttpKernel', 'Symfony\\Component\\HttpKernel\\', ['psr/log', 'symfony/error-handler', 'symfony/event-dispatcher', 'symfony/http-foundation']],
    'symfony/routing' => ['Symfony/Component/Routing', 'Symfony\\Component\\Routing\\', ['symfony/deprecation-contracts']],
    'symfony/service-contracts' => ['Symfony/Contracts/Service', 'Symfony\\Contracts\\Service\\', ['psr/container']],
    'symfony/var-dumper' => ['Symfony/Component/VarDumper', 'Symfony\\Component\\VarDumper\\', []],
    'symfony/var-exporter' => ['Symfony/Component/VarExporter', 'Symfony\\Component\\VarExporter\\', []],
];

function debianVersion(string $package): string
{
    $version = shell_exec('dpkg-query -W -f \'${Version}\' '.escapeshellarg($package));

    return preg_replace('/^\d+:|[+~-].*$/', '', (string) $version);
}

function pack_package(string $name, string $target): void
{
    [$folder, $namespace, $requires] = PACKAGES[$name];
    $package = 'php-'.strtr($name, '/', '-');
    $root = SOURCES.'/'.$folder;

    $zip = new ZipArchive();
    $zip->open($target.'/'.strtr($name, '/', '-').'.zip', ZipArchive::CREATE);
    foreach (new RecursiveIteratorIterator(new RecursiveDirectoryIterator($root, FilesystemIterator::SKIP_DOTS)) as $file) {
        $path = substr($file->getPathname(), strlen($root) + 1);
        if ($path !== 'autoload.php') { // Debian's own; Composer makes another
            $zip->addFile($file->getPathname(), $path);
        }
    }
    $zip->addFile("/usr/share/doc/$package/copyright", 'LICENSE');
    $zip->addFromString('composer.json', json_encode([
        'name' => $name,
        'description' => "Packed from Debian's $package",
        'version' => debianVersion($package),
        'require' => array_fill_keys($requires, '*') ?: new stdClass(),
        'autoload' => $namespace ? ['psr-4' => [$namespace => '']] : ['files' => ['function.php']],
    ], JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES));
    $zip->close() or exit("cannot write the zip of $name\n");
}

$target = $argv[1] ?? exit("usage: php composer-packages.php FOLDER\n");
is_dir($target) || mkdir($target, recursive: true);
foreach (array_keys(PACKAGES) as $name) {
    pack_package($name, $target);
}
