// Ships new versions of AWS Lambda functions safely: a little traffic first, then all of it, and back when something is wrong.
package lambdarollout
