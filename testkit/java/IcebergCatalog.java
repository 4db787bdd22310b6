// A REST catalog of Apache Iceberg in memory: the library's own handlers behind the server of the JDK.
//
// java -cp <jars of iceberg-core> IcebergCatalog.java <port> <warehouse>
//
// Metadata of tables stays in memory; manifests and data files are where the writers put them.

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.Executors;
import org.apache.iceberg.catalog.Namespace;
import org.apache.iceberg.catalog.TableIdentifier;
import org.apache.iceberg.exceptions.AlreadyExistsException;
import org.apache.iceberg.exceptions.CommitFailedException;
import org.apache.iceberg.exceptions.NoSuchNamespaceException;
import org.apache.iceberg.exceptions.NoSuchTableException;
import org.apache.iceberg.inmemory.InMemoryCatalog;
import org.apache.iceberg.rest.CatalogHandlers;
import org.apache.iceberg.rest.RESTSerializers;
import org.apache.iceberg.rest.RESTUtil;
import org.apache.iceberg.rest.requests.CreateNamespaceRequest;
import org.apache.iceberg.rest.requests.CreateTableRequest;
import org.apache.iceberg.rest.requests.UpdateTableRequest;
import org.apache.iceberg.rest.responses.ErrorResponse;

public class IcebergCatalog {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final InMemoryCatalog CATALOG = new InMemoryCatalog();

    public static void main(String[] args) throws IOException {
        JSON.setVisibility(PropertyAccessor.FIELD, JsonAutoDetect.Visibility.ANY);
        JSON.configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);
        JSON.setPropertyNamingStrategy(new PropertyNamingStrategies.KebabCaseStrategy());
        RESTSerializers.registerAll(JSON);
        CATALOG.initialize("test", Map.of("warehouse", args[1]));
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 0);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/v1/", IcebergCatalog::handle);
        server.start();
    }

    private static void handle(HttpExchange exchange) throws IOException {
        Object answer;
        int status = 200;
        try {
            answer = answer(exchange);
        } catch (Exception err) {
            status = statusOf(err);
            var error = ErrorResponse.builder().responseCode(status).withMessage(err.getMessage());
            answer = error.withType(err.getClass().getSimpleName()).build();
        }
        byte[] body = JSON.writeValueAsBytes(answer);
        boolean isHead = exchange.getRequestMethod().equals("HEAD");
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, isHead ? -1 : body.length);
        if (!isHead) {
            exchange.getResponseBody().write(body);
        }
        exchange.close();
    }

    private static int statusOf(Exception err) {
        if (err instanceof NoSuchTableException || err instanceof NoSuchNamespaceException) {
            return 404;
        }
        if (err instanceof AlreadyExistsException || err instanceof CommitFailedException) {
            return 409;
        }
        return err instanceof IllegalArgumentException ? 400 : 500;
    }

    private static Object answer(HttpExchange exchange) throws IOException {
        String[] path = exchange.getRequestURI().getRawPath().substring("/v1/".length()).split("/");
        String request = exchange.getRequestMethod() + " " + path.length;
        if (path[0].equals("config")) {
            return Map.of("defaults", Map.of(), "overrides", Map.of());
        }
        Namespace namespace = path.length > 1 ? RESTUtil.decodeNamespace(path[1]) : null;
        switch (request) {
            case "POST 1":
                return CatalogHandlers.createNamespace(CATALOG, read(exchange, CreateNamespaceRequest.class));
            case "GET 2":
                return CatalogHandlers.loadNamespace(CATALOG, namespace);
            case "POST 3":
                return CatalogHandlers.createTable(CATALOG, namespace, read(exchange, CreateTableRequest.class));
            default:
        }
        TableIdentifier table = TableIdentifier.of(namespace, RESTUtil.decodeString(path[3]));
        switch (request) {
            case "GET 4":
            case "HEAD 4":
                return CatalogHandlers.loadTable(CATALOG, table);
            case "POST 4":
                return CatalogHandlers.updateTable(CATALOG, table, read(exchange, UpdateTableRequest.class));
            default:
                throw new IllegalArgumentException("not here: " + request);
        }
    }

    private static <T> T read(HttpExchange exchange, Class<T> type) throws IOException {
        return JSON.readValue(exchange.getRequestBody().readAllBytes(), type);
    }
}
