<?php

namespace App;

use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Component\DependencyInjection\Loader\Configurator\ContainerConfigurator;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpKernel\Kernel as BaseKernel;
use Symfony\Component\Routing\Loader\Configurator\RoutingConfigurator;

final class Kernel extends BaseKernel
{
    use MicroKernelTrait;

    private const MESSAGE = 'Hello from the php example.';

    public function home(): Response
    {
        $project = htmlspecialchars($this->project());
        $message = self::MESSAGE;

        return new Response(<<<HTML
            <!doctype html>
            <html lang="en">
            <head>
              <meta charset="utf-8">
              <title>$project</title>
            </head>
            <body>
              <h1>$project</h1>
              <p>$message</p>
            </body>
            </html>
            HTML);
    }

    public function health(): JsonResponse
    {
        return new JsonResponse(['status' => 'ok', 'project' => $this->project()]);
    }

    public function registerBundles(): iterable
    {
        yield new FrameworkBundle();
    }

    /** Keeps the project's folder free of generated files. */
    public function getCacheDir(): string
    {
        return sys_get_temp_dir().'/example-php/cache';
    }

    public function getLogDir(): string
    {
        return sys_get_temp_dir().'/example-php/log';
    }

    private function configureContainer(ContainerConfigurator $container): void
    {
        $container->extension('framework', ['secret' => 'for development only']);
    }

    private function configureRoutes(RoutingConfigurator $routes): void
    {
        $routes->add('home', '/')->controller('kernel::home');
        $routes->add('health', '/health')->controller('kernel::health');
    }

    private function project(): string
    {
        return getenv('PROJECT_ID') ?: 'example-php';
    }
}
