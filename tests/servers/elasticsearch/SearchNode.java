// SPDX-License-Identifier: Apache-2.0
//
// One Elasticsearch node in this JVM, made from the server's library and the modules whose jars are
// beside it. Prints "ready PORT" once HTTP is served; SIGTERM closes the node.
//
// usage: java -cp 'CLASSES:LIB/*' SearchNode FOLDER SETTINGS.yml
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.index.mapper.MapperExtrasPlugin;
import org.elasticsearch.node.Node;
import org.elasticsearch.transport.Netty4Plugin;

final class SearchNode extends Node {
    private SearchNode(Environment environment) {
        super(
                environment,
                List.of(Netty4Plugin.class, MapperExtrasPlugin.class),
                true);
    }

    private int port() {
        return injector()
                .getInstance(HttpServerTransport.class)
                .boundAddress()
                .publishAddress()
                .getPort();
    }

    private void closeQuietly() {
        try {
            close();
            awaitClose(20, TimeUnit.SECONDS);
        } catch (IOException | InterruptedException problem) {
            System.err.println("closing the node: " + problem);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Path settingsFile = Path.of(arguments[1]).toAbsolutePath();
        Settings settings =
                Settings.builder()
                        .loadFromPath(settingsFile)
                        .put("path.home", arguments[0])
                        .build();
        SearchNode node = new SearchNode(new Environment(settings, settingsFile.getParent()));
        Runtime.getRuntime().addShutdownHook(new Thread(node::closeQuietly));
        node.start();
        System.out.println("ready " + node.port());
        new CountDownLatch(1).await();
    }
}
