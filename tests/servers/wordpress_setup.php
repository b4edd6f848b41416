<?php
// Install a WordPress site and print, as JSON, what its REST interface needs: php wordpress_setup.php FOLDER ADDRESS
$_SERVER['HTTP_HOST'] = parse_url($argv[2], PHP_URL_HOST) . ':' . parse_url($argv[2], PHP_URL_PORT);
$_SERVER['REQUEST_METHOD'] = 'GET';
define('WP_INSTALLING', true);
require $argv[1] . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Lamp News', 'editor', 'editor@example.org', true, '', 'lamp-post');
update_option('permalink_structure', '/%postname%/');
update_option('comments_notify', 0);
update_option('moderation_notify', 0);
update_option('comment_previously_approved', 0);
update_option('thread_comments_depth', 5);
update_option('page_comments', 1);
update_option('comments_per_page', 20);
update_option('default_comments_page', 'oldest');
switch_theme('lamps');
flush_rewrite_rules();
[$password] = WP_Application_Passwords::create_new_application_password(1, ['name' => 'tests']);
echo json_encode(['user' => 'editor', 'password' => $password]);
