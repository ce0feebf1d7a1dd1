<?php
// Runs before each request to PHP's own web server, which would serve every file of the folder:
// settings, and what has a name that begins with a dot, stay private. Returns false, so that the
// server goes on with the request. The case of letters is ignored, as some file systems ignore it.
return (static function (): bool {
    $private = '~/(?:\.(?!well-known(?:/|$))|(?:debughost|pyproject)\.toml(?![\w.-]))~i';
    $path = $_SERVER['REQUEST_URI'] ?? '';
    foreach ([strtok($path, '?'), $_SERVER['SCRIPT_NAME'] ?? '', $_SERVER['PATH_INFO'] ?? ''] as $name) {
        if (PHP_SAPI === 'cli-server' && preg_match($private, rawurldecode((string) $name))) {
            http_response_code(404);
            header('Content-Type: text/plain; charset=utf-8');
            echo "Not found\n";
            exit;
        }
    }
    return false;
})();
