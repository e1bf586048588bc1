package main

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// validate reports what the engine leaves to the provider: a value for an attribute that only the cloud may set,
// and null for a required one. Unknown arguments, wrong types, missing arguments and blocks are the engine's own.
func validate(config *tfprotov6.DynamicValue, schema *tfprotov6.Schema) []*tfprotov6.Diagnostic {
	value, err := config.Unmarshal(schema.ValueType())
	if err != nil {
		return failure("the configuration does not have the schema's type", err)
	}
	attributes := attributesByPath(schema)
	var problems []*tfprotov6.Diagnostic
	err = tftypes.Walk(value, func(path *tftypes.AttributePath, value tftypes.Value) (bool, error) {
		if attr := attributeAt(path, attributes); attr != nil {
			if problem := misuse(attr, value); problem != nil {
				problem.Attribute = path
				problems = append(problems, problem)
			}
		}
		return true, nil
	})
	if err != nil {
		return failure("the configuration could not be walked", err)
	}
	return problems
}

func misuse(attr *tfprotov6.SchemaAttribute, value tftypes.Value) *tfprotov6.Diagnostic {
	switch {
	case attr.Computed && !attr.Optional && !attr.Required && !value.IsNull():
		return &tfprotov6.Diagnostic{
			Severity: tfprotov6.DiagnosticSeverityError,
			Summary:  "Value for unconfigurable attribute",
			Detail:   fmt.Sprintf("The provider decides the value of %q; it cannot be configured.", attr.Name),
		}
	case attr.Required && value.IsNull():
		return &tfprotov6.Diagnostic{
			Severity: tfprotov6.DiagnosticSeverityError,
			Summary:  "Missing required argument",
			Detail:   fmt.Sprintf("The argument %q is required, but it is null.", attr.Name),
		}
	}
	return nil
}

// failure is the one diagnostic of a request that could not be answered.
func failure(summary string, err error) []*tfprotov6.Diagnostic {
	return []*tfprotov6.Diagnostic{{
		Severity: tfprotov6.DiagnosticSeverityError, Summary: "schemaprovider: " + summary, Detail: err.Error(),
	}}
}
