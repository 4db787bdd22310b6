import org.apache.kafka.common.config.*;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.admin.AdminClientConfig;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.*;

/**
 * Writes client_keys.json, the definitions of Kafka's client settings:
 * java -cp '.lakeward/kafka/libs/*' controlplane/src/validation/generate/ClientKeys.java client_keys.json
 * It stops at a definition that has more than the table holds.
 */
public class ClientKeys {
  public static void main(String[] a) throws Exception {
    var m = new ObjectMapper();
    var all = new LinkedHashMap<String,ConfigDef>();
    all.put("producer", ProducerConfig.configDef());
    all.put("consumer", ConsumerConfig.configDef());
    all.put("admin", AdminClientConfig.configDef());
    var docs = new LinkedHashMap<String,Integer>();
    var lines = new LinkedHashMap<String,List<String>>();
    for (var e : all.entrySet()) { var out = new ArrayList<String>(); lines.put(e.getKey(), out);
      for (var k : new TreeMap<>(e.getValue().configKeys()).values()) {
        if ((k.group != null) != k.internalConfig || (k.group != null && !(k.group.isEmpty() && k.documentation.isEmpty())) || (k.group == null && k.documentation.isEmpty()) || !k.dependents.isEmpty() || !k.displayName.equals(k.name) || k.orderInGroup != -1 || k.width != ConfigDef.Width.NONE) throw new Exception(k.name);
        Integer d = docs.computeIfAbsent(k.documentation, x -> docs.size());
        var row = new ArrayList<Object>(List.of(k.name, k.type.name(), k.importance.name(), d));
        if (k.hasDefault()) row.add(ConfigDef.convertToString(k.defaultValue, k.type));
        out.add(m.writeValueAsString(row));
      } }
    var s = new StringBuilder("{\n\"generated_from\": \"Apache Kafka "+org.apache.kafka.common.utils.AppInfoParser.getVersion()+"\",\n");
    s.append("\"row\": [\"name\",\"type\",\"importance\",\"index of documentation\",\"default (absent: required)\"],\n");
    for (var e : lines.entrySet()) s.append("\""+e.getKey()+"\": [\n"+String.join(",\n", e.getValue())+"\n],\n");
    var dl = new ArrayList<String>(); for (String d : docs.keySet()) dl.add(m.writeValueAsString(d));
    s.append("\"documentation\": [\n"+String.join(",\n", dl)+"\n]\n}\n");
    java.nio.file.Files.writeString(java.nio.file.Path.of(a[0]), s);
  }
}
