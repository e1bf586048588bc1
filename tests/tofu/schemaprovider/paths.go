package main

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// attributesByPath finds every attribute of a schema under its dotted path, such as "vpc_config.subnet_ids".
func attributesByPath(schema *tfprotov6.Schema) map[string]*tfprotov6.SchemaAttribute {
	found := map[string]*tfprotov6.SchemaAttribute{}
	collectBlock(schema.Block, "", found)
	return found
}

func collectBlock(body *tfprotov6.SchemaBlock, prefix string, found map[string]*tfprotov6.SchemaAttribute) {
	collectAttributes(body.Attributes, prefix, found)
	for _, nested := range body.BlockTypes {
		collectBlock(nested.Block, prefix+nested.TypeName+".", found)
	}
}

func collectAttributes(attributes []*tfprotov6.SchemaAttribute, prefix string, found map[string]*tfprotov6.SchemaAttribute) {
	for _, attr := range attributes {
		found[prefix+attr.Name] = attr
		if attr.NestedType != nil {
			collectAttributes(attr.NestedType.Attributes, prefix+attr.Name+".", found)
		}
	}
}

// dotted spells a path by its attribute names alone: elements of a list, set or map share one schema.
func dotted(path *tftypes.AttributePath) string {
	var names []string
	for _, step := range path.Steps() {
		if name, ok := step.(tftypes.AttributeName); ok {
			names = append(names, string(name))
		}
	}
	return strings.Join(names, ".")
}

// attributeAt returns the schema of the attribute that the path ends in, or nil for a block or an element.
func attributeAt(path *tftypes.AttributePath, attributes map[string]*tfprotov6.SchemaAttribute) *tfprotov6.SchemaAttribute {
	if _, ok := path.LastStep().(tftypes.AttributeName); !ok {
		return nil
	}
	return attributes[dotted(path)]
}
